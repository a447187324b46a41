// The comfortable side of the policy editor: CodeMirror in place of the plain field, completion from the catalogue that the
// server makes of its own tables, and the problems that the policy compiler finds, at their place, while somebody types. The
// field stays what the form sends. The style sheet of CodeMirror carries the nonce of the page.
import { EditorView, basicSetup } from 'codemirror';
import { EditorState, Compartment } from '@codemirror/state';
import { ViewPlugin, Decoration, keymap } from '@codemirror/view';
import { indentUnit, HighlightStyle, syntaxHighlighting } from '@codemirror/language';
import { tags } from '@lezer/highlight';
import { xml, xmlLanguage } from '@codemirror/lang-xml';
import { linter, lintGutter, forceLinting } from '@codemirror/lint';
import { indentWithTab } from '@codemirror/commands';
import { unifiedMergeView } from '@codemirror/merge';

const field = document.getElementById('text');
const form = document.getElementById('policy');
const state = document.getElementById('state');

// ---- expressions: C# inside of the XML -----------------------------------------------------------------------------

// Where "@(" or "@{" ends: strings and characters of C# are passed over.
function expressionEnd(text, at) {
  const close = { '(': ')', '{': '}' };
  const stack = [];
  for (let i = at + 1; i < text.length; i++) {
    const c = text[i];
    if (c === '"' || c === "'") {
      const verbatim = c === '"' && text[i - 1] === '@' && i - 1 > at;
      for (i++; i < text.length && text[i] !== c; i++) if (text[i] === '\\' && !verbatim) i++;
    } else if (c === '(' || c === '{' || c === '[') stack.push(c);
    else if (c === ')' || c === '}' || c === ']') {
      stack.pop();
      if (!stack.length) return i + 1;
    }
  }
  return text.length;
}

function expressions(text) {
  const found = [];
  for (let i = 0; (i = text.indexOf('@', i)) >= 0; i++)
    if ((text[i + 1] === '(' || text[i + 1] === '{') && /[">\s]/.test(text[i - 1] || ' ')) {
      const end = expressionEnd(text, i);
      found.push([i, end]);
      i = end;
    }
  return found;
}

const mark = Decoration.mark({ class: 'cm-expression' });
const shownExpressions = ViewPlugin.fromClass(class {
  constructor(view) { this.decorations = this.make(view); }

  update(u) { if (u.docChanged) this.decorations = this.make(u.view); }

  make(view) {
    return Decoration.set(expressions(view.state.doc.toString()).filter(([a, b]) => b > a).map(([a, b]) => mark.range(a, b)));
  }
}, { decorations: (v) => v.decorations });

// ---- completion ----------------------------------------------------------------------------------------------------

const ROOT = { name: 'policies', children: ['inbound', 'backend', 'outbound', 'on-error'] };

const valuesOf = (a) => (a.kind === 'choice' ? a.choices : a.kind === 'bool' ? ['true', 'false'] : a.default ? [a.default] : []);
const attributeOf = (a) => ({ name: a.name, values: valuesOf(a), completion: { info: a.help + (a.required ? ' Required.' : ''), boost: a.required ? 5 : 0 } });

function schemaOf(policies) {
  const names = policies.map((p) => p.name);
  const inSection = (s) => policies.filter((p) => p.sections.includes(s)).map((p) => p.name);
  const elements = [{ ...ROOT, top: true }, { name: 'fragment', top: true, children: names }];
  for (const s of ROOT.children) elements.push({ name: s, children: inSection(s) });
  const add = (e) => {
    elements.push({ name: e.name, attributes: (e.attributes || []).map(attributeOf), completion: { info: e.help },
      children: e.holdsPolicies ? [...names, ...e.children.map((c) => c.name)] : (e.children || []).map((c) => c.name) });
    for (const c of e.children || []) if (!c.policy) add({ ...c, holdsPolicies: holder.has(c.name) });
  };
  const holder = new Set(['when', 'otherwise']);
  policies.forEach(add);
  return { elements };
}

// "IApi Api { get; }", "static bool IsNullOrEmpty(string value)": name, type, whether it is a method.
function member(signature) {
  const m = /^(?:const |static |implicit |explicit )*(.+?) ([A-Za-z_]\w*)(<[^>(]*>)?\s*(\(.*|\{.*|=.*)?$/.exec(signature);
  if (!m || m[1].includes('(') || m[2] === 'operator' || m[2] === 'this') return null;
  return { name: m[2], type: m[1].replace(/\?$/, ''), method: (m[4] || '').startsWith('('), signature };
}

function membersOf(types) {
  const byName = new Map();
  for (const [name, t] of Object.entries(types))
    byName.set(name.split('.').pop(), { ...t, list: t.members.map(member).filter(Boolean) });
  return byName;
}

// The type of "context.Request.Headers", as far as it can be told from the signatures.
function typeOf(chain, types) {
  const steps = chain.replace(/\([^()]*\)/g, '').replace(/\[[^\]]*\]/g, '').split(/\??\./);
  let type = steps[0] === 'context' ? 'IProxyRequestContext' : steps[0];
  for (const step of steps.slice(1)) {
    const found = types.get(type) && types.get(type).list.find((m) => m.name === step);
    if (!found) return null;
    type = found.type.replace(/<.*/, '').replace(/^string$/, 'String');
  }
  return types.get(type) || (type === 'String' && types.get('String'));
}

function memberCompletion(types) {
  return (context) => {
    const before = context.state.sliceDoc(Math.max(0, context.pos - 2000), context.pos);
    const open = Math.max(before.lastIndexOf('@('), before.lastIndexOf('@{'));
    if (open < 0 || expressionEnd(before, open) < before.length) return null;
    const dotted = /([A-Za-z_]\w*(?:\([^()]*\)|\[[^\]]*\]|\??\.[A-Za-z_]\w*)*)\??\.(\w*)$/.exec(before);
    if (!dotted) {
      const word = context.matchBefore(/\w+/);
      if (!word && !context.explicit) return null;
      return { from: word ? word.from : context.pos, options: [{ label: 'context', type: 'variable', boost: 9 },
        ...[...types].filter(([, t]) => t.static).map(([name]) => ({ label: name, type: 'class' }))], validFor: /^\w*$/ };
    }
    const type = typeOf(dotted[1], types);
    if (!type) return null;
    const seen = new Set();
    const options = type.list.filter((m) => !seen.has(m.name) && seen.add(m.name)).map((m) => ({
      label: m.name, type: m.method ? 'method' : 'property', detail: m.type, info: m.signature }));
    return { from: context.pos - dotted[2].length, options, validFor: /^\w*$/ };
  };
}

// ---- problems ------------------------------------------------------------------------------------------------------

async function check(view) {
  const body = new URLSearchParams({ csrf: form.elements.csrf.value, scope: form.elements.scope.value, text: view.state.doc.toString() });
  const answer = await fetch(form.dataset.check, { method: 'POST', body });
  if (!answer.ok) return [];
  const found = await answer.json();
  const errors = found.filter((p) => !p.warning).length;
  state.textContent = errors ? `${errors} problem${errors === 1 ? '' : 's'}` : found.length ? 'Warnings only' : 'No problem found';
  return found.map((p) => {
    const line = view.state.doc.line(Math.min(Math.max(p.line, 1), view.state.doc.lines));
    // columns count bytes
    const bytes = new TextEncoder().encode(line.text).slice(0, Math.max(p.column - 1, 0));
    const from = Math.min(line.from + new TextDecoder().decode(bytes).length, line.to);
    const word = /^[^\s"'<>/=]+/.exec(view.state.sliceDoc(from + (view.state.sliceDoc(from, from + 1) === '<' ? 1 : 0), line.to));
    return { from, to: Math.min(from + (word ? word[0].length + 1 : 1), line.to), severity: p.warning ? 'warning' : 'error', message: p.message };
  });
}

// ---- the editor ----------------------------------------------------------------------------------------------------

const colours = HighlightStyle.define([
  { tag: tags.tagName, color: 'var(--blue)' }, { tag: tags.attributeName, color: 'var(--violet)' },
  { tag: [tags.attributeValue, tags.string], color: 'var(--good)' }, { tag: tags.comment, color: 'var(--text-soft)', fontStyle: 'italic' },
  { tag: tags.angleBracket, color: 'var(--text-soft)' }, { tag: tags.invalid, color: 'inherit' },
]);
const theme = EditorView.theme({
  '&': { fontSize: '0.84375rem', backgroundColor: 'var(--surface)', color: 'var(--text)', borderRadius: '0 0 var(--radius) var(--radius)' },
  '.cm-scroller': { fontFamily: 'var(--mono)', minHeight: '24rem', maxHeight: '70vh', overflow: 'auto', lineHeight: '1.55' },
  '.cm-gutters': { backgroundColor: 'var(--sunken)', color: 'var(--text-soft)', border: 'none' },
  '.cm-content': { caretColor: 'var(--text)' },
  '&.cm-focused': { outline: '2px solid var(--accent)', outlineOffset: '-2px' },
  '&.cm-focused .cm-cursor': { borderLeftColor: 'var(--text)' },
  '&.cm-focused .cm-selectionBackground, .cm-selectionBackground': { backgroundColor: 'var(--accent-soft) !important' },
  '.cm-activeLine': { backgroundColor: 'color-mix(in srgb, var(--sunken) 60%, transparent)' },
  '.cm-activeLineGutter': { backgroundColor: 'var(--sunken)', color: 'var(--text)' },
  '.cm-expression, .cm-expression span': { color: 'var(--warn) !important' },
  '.cm-tooltip': { backgroundColor: 'var(--raised)', color: 'var(--text)', border: '1px solid var(--line)', borderRadius: 'var(--radius-small)' },
  '.cm-tooltip-autocomplete ul li[aria-selected]': { backgroundColor: 'var(--accent)', color: 'var(--on-accent)' },
  '.cm-panels': { backgroundColor: 'var(--sunken)', color: 'var(--text)' },
  '.cm-deletedChunk': { backgroundColor: 'var(--bad-soft)' }, '.cm-changedLine': { backgroundColor: 'var(--good-soft) !important' },
}, {});

// Where a snippet goes: where the cursor stands inside a section, else at the end of the section that it is for, which is made when it
// is missing. A piece outside of all sections would be an error.
function placeOf(text, { from, to }, section, piece) {
  const indented = (indent) => piece.replace(/\n/g, `\n${indent}`), indentAt = (at) => /[^\n]*$/.exec(text.slice(0, at))[0].match(/^\s*/)[0];
  const before = text.slice(0, from), inside = ['inbound', 'backend', 'outbound', 'on-error'].some((s) =>
    before.lastIndexOf(`<${s}>`) > before.lastIndexOf(`</${s}>`) && text.indexOf(`</${s}>`, from) >= 0);
  const lineOf = (at, content) => ({ from: at - indentAt(at).length, to: at - indentAt(at).length, insert: content });
  if (inside || !text.includes('</policies>')) return { from, to, insert: indented(indentAt(from)) };
  const end = text.lastIndexOf(`</${section}>`), empty = new RegExp(`<${section}\\s*/>`).exec(text);
  if (end >= 0) {
    const indent = `${indentAt(end)}\t`;
    return /\n[ \t]*$/.test(text.slice(0, end)) ? lineOf(end, `${indent}${indented(indent)}\n`) : { from: end, to: end, insert: `\n${indent}${indented(indent)}\n${indentAt(end)}` };
  }
  if (empty) {
    const outer = indentAt(empty.index), indent = `${outer}\t`;
    return { from: empty.index, to: empty.index + empty[0].length, insert: `<${section}>\n${indent}<base />\n${indent}${indented(indent)}\n${outer}</${section}>` };
  }
  return lineOf(text.lastIndexOf('</policies>'), `\t<${section}>\n\t\t<base />\n\t\t${indented('\t\t')}\n\t</${section}>\n`);
}

async function start() {
  const readOnly = field.readOnly, language = new Compartment(), comparing = new Compartment(), saved = field.defaultValue;
  const view = new EditorView({
    doc: field.value,
    extensions: [
      EditorView.cspNonce.of(form.dataset.nonce), basicSetup, keymap.of([indentWithTab]), indentUnit.of('\t'), EditorState.tabSize.of(4),
      EditorState.readOnly.of(readOnly), EditorView.contentAttributes.of({ 'aria-labelledby': 'text-label', id: 'editor' }),
      EditorView.lineWrapping, theme, syntaxHighlighting(colours), shownExpressions, language.of(xml()), comparing.of([]),
      ...(readOnly ? [] : [lintGutter(), linter(check, { delay: 500 })]),
      EditorView.updateListener.of((u) => { if (u.docChanged) field.value = u.state.doc.toString(); }),
    ],
  });
  field.hidden = true;
  field.after(view.dom);
  document.getElementById('text-label').addEventListener('click', () => view.focus());
  for (const button of document.querySelectorAll('.insert')) {
    button.hidden = readOnly;
    button.addEventListener('click', () => {
      const piece = button.parentElement.querySelector('code').textContent.trimEnd();
      const change = placeOf(view.state.doc.toString(), view.state.selection.main, button.dataset.section, piece);
      view.dispatch({ changes: change, selection: { anchor: change.from + change.insert.trimEnd().length }, scrollIntoView: true });
      view.focus();
    });
  }
  const compare = form.querySelector('button[value=review]');
  if (compare) compare.addEventListener('click', (e) => {
    e.preventDefault();
    const on = compare.getAttribute('aria-pressed') !== 'true';
    compare.setAttribute('aria-pressed', String(on));
    view.dispatch({ effects: comparing.reconfigure(on ? unifiedMergeView({ original: saved, mergeControls: false, highlightChanges: false }) : []) });
  });
  document.documentElement.dataset.editor = 'ready';
  const answer = await fetch(form.dataset.catalogue);
  if (!answer.ok) return;
  const catalogue = await answer.json(), types = membersOf(catalogue.types);
  view.dispatch({ effects: language.reconfigure([xml(schemaOf(catalogue.policies)),
    xmlLanguage.data.of({ autocomplete: memberCompletion(types) })]) });
  document.documentElement.dataset.editor = 'complete';
  if (!readOnly) forceLinting(view);
}

if (field && form) start();
