/** Express 4 under a second name: what we use of it, 5 has too. */
declare module "express4" {
  export { default } from "express";
}
