// A reporter for node's test runner: flat TAP, a line a test, so that every single one is counted, and failures explained
// in comments (the runner's own TAP nests, and explains in YAML that TAP::Parser cannot read).
export default async function* flatTap(source) {
  const line = (text) => text.replace(/[\r\n]+/g, ' ').replace(/#/g, '\\#');
  let n = 0;
  const groups = [];    // the names of the suites around a test, by depth
  yield 'TAP version 13\n';
  for await (const { type, data } of source) {
    if (type === 'test:stderr' || type === 'test:stdout') yield data.message.replace(/^/gm, '# ');
    if (type === 'test:start') { groups.length = data.nesting; groups.push(data.name); }
    if (type !== 'test:pass' && type !== 'test:fail') continue;
    const error = data.details.error;
    const group = data.details.type === 'suite';
    // a group is counted only when it failed by itself (a hook), not through the tests in it
    if (group && (type === 'test:pass' || error?.failureType === 'subtestsFailed')) continue;
    n += 1;
    const skip = data.skip === undefined ? '' : ` # SKIP ${data.skip === true ? '' : data.skip}`;
    yield `${type === 'test:pass' ? 'ok' : 'not ok'} ${n} - ${line([...groups.slice(0, data.nesting), data.name].join(' > '))}${skip}\n`;
    if (type === 'test:fail') {
      const cause = error?.cause ?? error;
      yield `${String(cause?.stack ?? cause).replace(/^/gm, '#   ')}\n`;
    }
  }
  yield `1..${n}\n`;
}
