// Tabs, forms and requests. Answers come while one types, after a pause; an older request is then cancelled.

import { PANELS } from './panels.js';
import { element } from './views.js';

const PAUSE = 350;  // milliseconds without a key before a request
const tabs = [...document.querySelectorAll('[role="tab"]')];
const sections = new Map([...document.querySelectorAll('[data-panel]')].map(each => [each.dataset.panel, each]));
const runs = new Map();  // panel: function that sends its form
let facts = null;

async function request(path, options = {}) {
  const response = await fetch(path, { credentials: 'omit', redirect: 'error', ...options });
  let answer = null;
  try {
    answer = await response.json();
  } catch {
    throw new Error(`the server answered with status ${response.status}`);
  }
  if (!response.ok) throw new Error(answer.error);
  return answer;
}

function select(tab, focus = false) {
  for (const each of tabs) {
    const chosen = each === tab;
    each.setAttribute('aria-selected', chosen);
    each.tabIndex = chosen ? 0 : -1;
    document.getElementById(each.getAttribute('aria-controls')).hidden = !chosen;
  }
  if (focus) tab.focus();
  const name = tab.id.slice('tab-'.length);
  history.replaceState(null, '', `#${name}`);
  const section = sections.get(name);
  if (!section.dataset.shown) runs.get(name)();
}

document.getElementById('tabs').addEventListener('keydown', event => {
  const index = tabs.indexOf(document.activeElement);
  const next = { ArrowRight: index + 1, ArrowLeft: index - 1, Home: 0, End: tabs.length - 1 }[event.key];
  if (index < 0 || next === undefined) return;
  event.preventDefault();
  select(tabs[(next + tabs.length) % tabs.length], true);
});
for (const tab of tabs) tab.addEventListener('click', () => select(tab));

function prepare(name, section) {
  const { example, limits, available, commands } = facts.panels[name];
  const form = section.querySelector('form');
  const output = section.querySelector('.output');
  const status = section.querySelector('.status');
  if (!available) {
    form.remove();
    output.replaceChildren(element('p', {}, 'No model for this panel. Train one, and start the playground with it:'),
      ...commands.map(command => element('p', {}, element('code', {}, command))));
    runs.set(name, () => {});
    return;
  }
  for (const field of form.elements) {
    if (!(field.name in example)) continue;
    field.value = example[field.name];
    field.maxLength = limits[field.name];
  }
  let timer = null;
  let controller = null;

  async function run() {
    clearTimeout(timer);
    controller?.abort();
    const own = controller = new AbortController();
    const texts = Object.fromEntries(Object.keys(example).map(key => [key, form.elements[key].value]));
    section.dataset.shown = 'true';
    output.classList.add('stale');
    status.classList.remove('error');
    status.textContent = 'Computing…';
    const start = performance.now();
    try {
      const options = { method: 'POST', headers: { 'Content-Type': 'application/json' }, signal: own.signal };
      const answer = await request(`/api/${name}`, { ...options, body: JSON.stringify(texts) });
      if (own !== controller) return;
      output.replaceChildren(...PANELS[name](answer, facts));
      status.textContent = `Answered in ${Math.round(performance.now() - start)} ms`;
    } catch (error) {
      if (own !== controller || error.name === 'AbortError') return;
      output.replaceChildren();
      status.classList.add('error');
      status.textContent = error instanceof TypeError ? 'The server does not answer. Is it running?' : error.message;
    }
    output.classList.remove('stale');
  }

  form.addEventListener('submit', event => {
    event.preventDefault();
    run();
  });
  form.addEventListener('input', () => {
    clearTimeout(timer);
    timer = setTimeout(run, PAUSE);
  });
  form.addEventListener('keydown', event => {  // Enter sends, Shift+Enter begins a new line
    if (event.key === 'Enter' && !event.shiftKey && event.target.tagName === 'TEXTAREA') {
      event.preventDefault();
      run();
    }
  });
  form.querySelector('[data-action="mask"]')?.addEventListener('click', () => {
    const field = form.elements.text;
    field.setRangeText('[MASK]', field.selectionStart, field.selectionEnd, 'end');
    field.focus();
    run();
  });
  runs.set(name, run);
}

async function start() {
  const line = document.getElementById('models');
  try {
    facts = await request('/api/facts');
  } catch (error) {
    line.className = 'error';
    line.textContent = `The server does not answer: ${error.message}`;
    return;
  }
  line.textContent = `Pretrained model: ${facts.encoder}. Classifier: ${facts.classifier} (${facts.labels.join(', ')}). ` +
    `Texts of up to ${facts.max_tokens} tokens.`;
  for (const [name, section] of sections) prepare(name, section);
  select(document.getElementById(`tab-${location.hash.slice(1)}`) ?? tabs[0]);
}

start();
