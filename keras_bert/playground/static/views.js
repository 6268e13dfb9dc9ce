// Functions that build parts of the page. Texts become text nodes: nothing here parses HTML.

export function element(tag, properties = {}, ...children) {
  const node = document.createElement(tag);
  for (const [name, value] of Object.entries(properties)) {
    if (name === 'class') node.className = value;
    else if (name === 'style') for (const [key, each] of Object.entries(value)) node.style.setProperty(key, each);
    else if (name.startsWith('on')) node.addEventListener(name.slice(2), value);
    else if (value !== false && value !== null && value !== undefined) node.setAttribute(name, value);
  }
  node.append(...children.filter(child => child !== null));
  return node;
}

export const percent = value => `${(100 * value).toFixed(1)} %`;
export const signed = value => (value < 0 ? '−' : '+') + Math.abs(value).toFixed(2);

// A list of names with bars. A bar's width is only decoration: its value is written beside it.
export function bars(rows, label) {
  return element('ul', { class: 'bars', 'aria-label': label }, ...rows.map(({ name, value, shown, series }) =>
    element('li', {}, element('span', {}, name),
      element('span', { class: 'track', 'aria-hidden': 'true' },
        element('span', { class: 'fill', style: { width: `${Math.max(0, Math.min(1, value)) * 100}%`,
          ...(series ? { background: `var(--bar-${series})` } : {}) } })),
      element('span', { class: 'value' }, shown))));
}

export function table(columns, rows, { numbers = [], label, name = '' } = {}) {
  const cell = (tag, value, i) => {
    const settings = numbers.includes(columns[i]) ? { class: 'number' } : {};
    if (tag === 'th') settings.scope = 'row';
    return element(tag, settings, value instanceof Node ? value : String(value));
  };
  const head = columns.map(column =>
    element('th', { scope: 'col', class: numbers.includes(column) ? 'number' : null }, column));
  const body = rows.map(row => element('tr', {}, ...row.map((value, i) => cell(i ? 'td' : 'th', value, i))));
  return scrollable(element('table', { class: name }, element('thead', {}, element('tr', {}, ...head)),
    element('tbody', {}, ...body)), label);
}

// A table may be wider than a phone. A region that scrolls can be reached by the keyboard.
export function scrollable(content, label) {
  return element('div', { class: 'scroll', role: 'region', tabindex: '0', 'aria-label': label }, content);
}

// The words of a text with the color of their scores: blue raises, orange lowers. The sign is also written.
export function scoredWords(words) {
  const largest = Math.max(...words.map(each => Math.abs(each.score)), 1e-9);
  return element('p', { class: 'words' }, ...words.map(({ word, score }) => {
    const color = `rgba(var(--${score < 0 ? 'lowers' : 'raises'}), ${(0.45 * Math.abs(score) / largest).toFixed(3)})`;
    return element('span', { class: 'word', style: { background: color } }, element('span', {}, word),
      element('small', {}, signed(score)));
  }));
}

// Draw a matrix of numbers from 0 to 1 into a canvas: one pixel per cell, enlarged by the style sheet.
export function drawMatrix(canvas, size, valueOf) {
  const root = getComputedStyle(document.documentElement);
  const color = root.getPropertyValue('--raises').split(',').map(Number);
  canvas.width = canvas.height = size;
  const context = canvas.getContext('2d');
  const image = context.createImageData(size, size);
  let largest = 1e-9;
  for (let i = 0; i < size * size; i++) largest = Math.max(largest, valueOf(i));
  for (let i = 0; i < size * size; i++) {
    image.data.set(color, 4 * i);
    image.data[4 * i + 3] = Math.round(255 * valueOf(i) / largest);
  }
  context.putImageData(image, 0, 0);
}
