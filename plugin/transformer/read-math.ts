/** A formula in LaTeX → the line that a person would type for it. What is not known stays as its name. */

const SYMBOLS: ReadonlyMap<string, string> = named({
  ...{ times: "×", cdot: "·", div: "÷", pm: "±", mp: "∓", ast: "*", star: "⋆", circ: "∘", bullet: "•" },
  ...{ leq: "≤", le: "≤", geq: "≥", ge: "≥", neq: "≠", ne: "≠", approx: "≈", equiv: "≡", sim: "∼", propto: "∝" },
  ...{ ll: "≪", gg: "≫", infty: "∞", partial: "∂", nabla: "∇", sum: "∑", prod: "∏", int: "∫", oint: "∮" },
  ...{ to: "→", rightarrow: "→", leftarrow: "←", Rightarrow: "⇒", Leftarrow: "⇐", leftrightarrow: "↔", mapsto: "↦" },
  ...{ implies: "⇒", iff: "⇔", in: "∈", notin: "∉", subset: "⊂", subseteq: "⊆", cup: "∪", cap: "∩", emptyset: "∅" },
  ...{ forall: "∀", exists: "∃", neg: "¬", land: "∧", lor: "∨", angle: "∠", degree: "°", prime: "′", ldots: "…" },
  ...{ dots: "…", cdots: "⋯", mid: "|", lfloor: "⌊", rfloor: "⌋", lceil: "⌈", rceil: "⌉", langle: "⟨", rangle: "⟩" },
  ...{ alpha: "α", beta: "β", gamma: "γ", delta: "δ", epsilon: "ε", varepsilon: "ε", zeta: "ζ", eta: "η" },
  ...{ theta: "θ", iota: "ι", kappa: "κ", lambda: "λ", mu: "μ", nu: "ν", xi: "ξ", pi: "π", rho: "ρ", sigma: "σ" },
  ...{ tau: "τ", upsilon: "υ", phi: "φ", varphi: "φ", chi: "χ", psi: "ψ", omega: "ω", Gamma: "Γ", Delta: "Δ" },
  ...{ Theta: "Θ", Lambda: "Λ", Xi: "Ξ", Pi: "Π", Sigma: "Σ", Phi: "Φ", Psi: "Ψ", Omega: "Ω" },
  ...{ quad: "  ", qquad: "   ", left: "", right: "", displaystyle: "", limits: "", big: "", Big: "" },
});
const SPACES: ReadonlyMap<string, string> = named({ ",": " ", ";": " ", ":": " ", " ": " ", "!": "", "\\": "\n" });
const RAISED = charMap("0123456789+-=()ni", "⁰¹²³⁴⁵⁶⁷⁸⁹⁺⁻⁼⁽⁾ⁿⁱ");
const LOWERED = charMap("0123456789+-=()aeijkmnoprstuvx", "₀₁₂₃₄₅₆₇₈₉₊₋₌₍₎ₐₑᵢⱼₖₘₙₒₚᵣₛₜᵤᵥₓ");
/** Deeper groups stay as they were typed. */
const DEEPEST = 12;

export function readMath(formula: string): string {
  return createReader(formula)
    .all(0)
    .replace(/[^\S\n]*\n[^\S\n]*/g, "\n")
    .replace(/&/g, "")
    .trim();
}

function createReader(source: string) {
  let at = 0;

  const group = (depth: number): string => {
    while (source[at] === " ") at += 1;
    if (source[at] !== "{") return one(depth);
    at += 1;
    const inner = all(depth + 1);
    if (source[at] === "}") at += 1;
    return inner;
  };

  const command = (depth: number): string => {
    const [name = ""] = /^(?:[A-Za-z]+|.?)/su.exec(source.slice(at, at + 32)) ?? [];
    at += name.length;
    if (name === "frac" || name === "dfrac" || name === "tfrac") {
      const top = bracketed(group(depth));
      return `${top}/${bracketed(group(depth))}`;
    }
    if (name === "sqrt") return `√${bracketed(group(depth))}`;
    if (name === "begin" || name === "end") {
      group(depth);
      return "";
    }
    if (/^(?:text|math|operatorname|boxed|mbox)/.test(name)) return group(depth);
    return SYMBOLS.get(name) ?? SPACES.get(name) ?? name;
  };

  const one = (depth: number): string => {
    const char = String.fromCodePoint(source.codePointAt(at) ?? 0x20);
    at += char.length;
    if (char === "\\") return command(depth);
    if (char === "{") {
      at -= 1;
      return depth > DEEPEST ? rest() : group(depth);
    }
    if (char === "^" || char === "_") return script(char === "^" ? RAISED : LOWERED, char, depth);
    return char;
  };

  const script = (map: ReadonlyMap<string, string>, mark: string, depth: number): string => {
    const inner = (depth > DEEPEST ? rest() : group(depth)).trim();
    const shifted = Array.from(inner, (char) => map.get(char));
    if (inner === "∘" && mark === "^") return "°";
    return shifted.every((char) => char !== undefined) ? shifted.join("") : mark + bracketed(inner);
  };

  const rest = (): string => {
    const text = source.slice(at);
    at = source.length;
    return text;
  };

  const all = (depth: number): string => {
    let text = "";
    while (at < source.length && !(source[at] === "}" && depth > 0)) text += one(depth);
    return text;
  };

  return { all };
}

/** `a+b` needs brackets over a line, `a` does not. */
function bracketed(text: string): string {
  return /^(?:[\p{L}\p{N}.,′√∞°]+|[\p{L}\p{N}]+[\p{No}₀-₉]+)$/u.test(text.trim()) ? text.trim() : `(${text.trim()})`;
}

function charMap(from: string, to: string): ReadonlyMap<string, string> {
  const target = Array.from(to);
  return new Map(Array.from(from, (char, index) => [char, target[index] ?? char]));
}

/** A command may be called `constructor`. */
function named(names: Readonly<Record<string, string>>): ReadonlyMap<string, string> {
  return new Map(Object.entries(names));
}
