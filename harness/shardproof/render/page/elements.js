// Elements, made one by one. Foreign text becomes text nodes and nothing else; there is no markup in strings.

const SVG = "http://www.w3.org/2000/svg";

const byId = (id) => document.getElementById(id);

/** An HTML element with properties (`class` and `aria-*` among them), and children or texts in it. */
function make(tag, properties = {}, ...children) {
  return filled(document.createElement(tag), properties, children);
}

/** The same in a drawing. */
function stroke(tag, properties = {}, ...children) {
  return filled(document.createElementNS(SVG, tag), properties, children);
}

function filled(element, properties, children) {
  for (const [name, value] of Object.entries(properties)) {
    if (value !== undefined && value !== "") element.setAttribute(name, value);
  }
  element.append(...children.flat().filter((child) => child !== null && child !== undefined && child !== ""));
  return element;
}

/** Text that may have letters of any direction: these must not carry away what stands beside them. */
function foreign(text) {
  return /^[\x20-\x7e]*$/.test(text) ? text : make("bdi", {}, text);
}

/** A sentence of ours, in which what stands between backticks is code, and each "step N" leads there. */
function sentence(text, steps = 0) {
  const parts = text.split("`");
  if (parts.length % 2 === 0) return [foreign(text)];
  return parts.flatMap((part, i) => (i % 2 ? make("code", {}, foreign(part)) : linked(part, steps)));
}

function linked(text, steps) {
  return text.split(/\b(step \d{1,9})\b/).map((part, i) => {
    const number = i % 2 ? Number(part.slice(5)) : 0;
    return number >= 1 && number <= steps ? make("a", { href: `#step-${number}` }, part) : foreign(part);
  });
}

/** At most so many characters. */
function short(text, most) {
  return text.length <= most ? text : `${text.slice(0, Math.max(most - 1, 1))}…`;
}
