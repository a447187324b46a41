// In place of the package crelt, which CodeMirror makes elements with: it writes `style` as an attribute, and the policy on
// content of our pages refuses those. What a script sets as a property is let through.
export default function crelt(...args) {
  const [what, ...rest] = args, element = typeof what === 'string' ? document.createElement(what) : what;
  const [first] = rest, attributes = first && typeof first === 'object' && first.nodeType == null && !Array.isArray(first) ? first : null;
  for (const [name, value] of Object.entries(attributes || {}))
    if (name === 'style') element.style.cssText = value;
    else if (typeof value === 'string') element.setAttribute(name, value);
    else if (value != null) element[name] = value;
  const add = (child) => {
    if (typeof child === 'string') element.append(document.createTextNode(child));
    else if (Array.isArray(child)) child.forEach(add);
    else if (child != null) element.append(child);
  };
  (attributes ? rest.slice(1) : rest).forEach(add);
  return element;
}
