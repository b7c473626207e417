/** Receiving from Meta on Express 5, over real HTTP and with real Postgres. */
import { describeReceiving } from "./receiving/receiving-suite.ts";

describeReceiving("receiving on Express 5");
