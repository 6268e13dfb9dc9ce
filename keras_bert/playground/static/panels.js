// What each panel shows: functions of the answer of the server that return nodes.

import { bars, drawMatrix, element, percent, scoredWords, scrollable, signed, table } from './views.js';

function tokens({ tokens, unknown }) {
  const chips = tokens.map(({ token, id }) => element('li', {},
    element('span', { class: token.startsWith('##') ? 'chip part' : 'chip' }, element('span', {}, token),
      element('small', {}, String(id)))));
  const rows = tokens.map(({ token, id, start, end, text }, i) => [i + 1, token, id, `${start}–${end}`, text]);
  return [
    element('p', { class: 'soft' }, `${tokens.length} tokens, ${unknown} of them unknown. A dashed frame continues a word.`),
    element('ul', { class: 'chips', 'aria-label': 'Tokens and ids' }, ...chips),
    table(['#', 'token', 'id', 'characters', 'in the text'], rows, { numbers: ['#', 'id', 'characters'], label: 'Tokens' }),
  ];
}

function fillMask({ masks }) {
  return masks.flatMap((predictions, i) => [
    element('h2', {}, masks.length > 1 ? `[MASK] ${i + 1}` : '[MASK]'),
    bars(predictions.map(({ token, probability }) => ({ name: token, value: probability, shown: percent(probability) })),
      `Predictions of mask ${i + 1}`),
  ]);
}

function classification(found) {
  const best = found.classes.find(each => each.label === found.label);
  const rows = found.classes.map(({ label, probability }) =>
    ({ name: label, value: probability, shown: percent(probability) }));
  return [
    element('p', { class: 'big' }, `${found.label}, ${percent(best.probability)}`),
    bars(rows, 'Probabilities of the classes'),
    scoredWords(found.words),
    element('p', { class: 'soft' }, `Blue words (+) raise the logit of ${found.label}, orange words (−) lower it. ` +
      `They add up to ${signed(found.logit - found.baseline)}, the change of the logit from a text of [PAD]; ` +
      `completeness error ${percent(found.completeness_error)} with ${found.steps} steps.`),
  ];
}

function calibrationNote() {
  return element('p', { class: 'soft' }, 'The probabilities are those of the model. The bundled classifier was calibrated ' +
    'on held-out sentences (temperature scaling); to calibrate your own, train it with ',
    element('code', {}, 'keras-bert finetune --calibrate'), '.');
}

const sentiment = found => [...classification(found), calibrationNote()];

function compare({ cosine, results, words }) {
  const tags = { both: 'span', first: 'del', second: 'ins' };
  const parts = words.flatMap(({ word, where }) => [element(tags[where], {}, word), ' ']);
  const [one, two] = results.map(each => each.classes.find(item => item.label === results[0].label).probability);
  return [
    element('p', {}, ...parts),
    element('p', {}, `Cosine of the two vectors: ${cosine.toFixed(3)}. `,
      `Probability of ${results[0].label}: ${percent(one)} and ${percent(two)}.`),
    element('div', { class: 'two' }, ...results.map((result, i) =>
      element('div', {}, element('h2', {}, i ? 'Second sentence' : 'First sentence'), ...classification(result)))),
    calibrationNote(),
  ];
}

function nearest({ sentences, median }, facts) {
  const rows = sentences.map(({ text, label, cosine }) => [text, label, cosine.toFixed(3)]);
  return [
    table(['sentence', 'label', 'cosine'], rows, { numbers: ['cosine'], label: 'Nearest sentences' }),
    element('p', { class: 'soft' }, `Of ${facts.reviews.toLocaleString('en')} reviews. The median cosine is ` +
      `${median.toFixed(3)}: vectors of this model are similar to each other, so compare the cosines, not their size.`),
  ];
}

function decodeMaps(text) {
  const bytes = Uint8Array.from(atob(text), character => character.charCodeAt(0));
  return new Uint16Array(bytes.buffer);
}

function attention({ tokens, shape, maps, scores, target }) {
  const [layers, heads, size] = shape;
  const numbers = decodeMaps(maps);
  const state = { layer: layers - 1, head: 0, query: 0 };
  const value = (layer, head, i) => numbers[(layer * heads + head) * size * size + i] / 65535;
  const grid = element('div', { class: 'heads', role: 'group', 'aria-label': 'Heads', style: { 'grid-template-columns': `repeat(${heads}, max-content)` } });
  const matrix = element('canvas', { class: 'matrix', role: 'img' });
  const chips = element('ul', { class: 'chips', 'aria-label': 'Query token' });
  const rows = element('div');
  const title = element('h2', { 'aria-live': 'polite' });
  const headButtons = [];
  for (let layer = 0; layer < layers; layer++) for (let head = 0; head < heads; head++) {
    const canvas = element('canvas', { 'aria-hidden': 'true' });
    drawMatrix(canvas, size, i => value(layer, head, i));
    const choose = () => { Object.assign(state, { layer, head }); update(); };
    const button = element('button', { type: 'button', class: 'head', 'aria-label': `Layer ${layer + 1}, head ${head + 1}`, onclick: choose }, canvas);
    headButtons.push(button);
    grid.append(button);
  }
  const tokenButtons = tokens.map((token, query) => element('button', { type: 'button', class: 'chip',
    onclick: () => { state.query = query; update(); } }, token));
  chips.append(...tokenButtons.map(button => element('li', {}, button)));
  function update() {
    const { layer, head, query } = state;
    headButtons.forEach((each, i) => each.setAttribute('aria-pressed', i === layer * heads + head));
    tokenButtons.forEach((each, i) => each.setAttribute('aria-pressed', i === query));
    title.textContent = `Layer ${layer + 1}, head ${head + 1}: from “${tokens[query]}”`;
    drawMatrix(matrix, size, i => value(layer, head, i));
    matrix.setAttribute('aria-label', `Attention of layer ${layer + 1}, head ${head + 1}: ${size} queries by ${size} keys. The table has the numbers of one query.`);
    const list = tokens.map((token, i) => ({ token, probability: value(layer, head, query * size + i), score: scores[i] }));
    rows.replaceChildren(table(['to token', 'attention', 'integrated gradients'],
      list.map(({ token, probability, score }) => [token, probability.toFixed(3), signed(score)]),
      { numbers: ['attention', 'integrated gradients'], label: 'Attention from the query token' }));
  }
  update();
  return [
    element('p', { class: 'soft' }, `Rows: layers from 1 to ${layers}; columns: heads from 1 to ${heads}. Choose a head and a token.`),
    scrollable(grid, 'Heads'),
    element('div', { class: 'two' },
      element('div', {}, element('p', { class: 'soft' }, 'The chosen head: rows are queries, columns are keys.'), matrix),
      element('div', {}, title, chips, rows,
        element('p', { class: 'soft' }, `The attention of a row adds up to 1. Integrated gradients are those of the logit of ${target}.`))),
  ];
}

function lens({ tokens, layers }) {
  const last = layers.length - 1;
  const best = layer => layers[layer].predictions.map(each => each[0].token);
  const slider = element('input', { type: 'range', id: 'lens-layer', min: 0, max: last, value: last, step: 1 });
  const title = element('p', { 'aria-live': 'polite' });
  const detail = element('div');
  const grid = table(['layer', ...tokens], layers.map(({ layer }, i) => [layer, ...best(i).map((token, position) =>
    element('span', { class: token === best(last)[position] ? null : 'other' }, token))]), { label: 'First prediction of each layer', name: 'lens' });
  function update() {
    const index = Number(slider.value);
    const { layer, agreement, divergence, predictions } = layers[index];
    slider.setAttribute('aria-valuetext', `layer ${layer}`);
    title.textContent = `Layer ${layer}: the same first token as the last layer at ${percent(agreement)} of the tokens; ` +
      `mean divergence from the last layer ${divergence.toFixed(2)} nats.`;
    detail.replaceChildren(table(['token', 'first', 'second', 'third'], predictions.map((cell, i) => [tokens[i],
      ...cell.map(each => `${each.token} ${percent(each.probability)}`)]), { label: 'Predictions of the layer', name: 'lens' }));
    [...grid.querySelectorAll('tbody tr')].forEach((row, i) => row.setAttribute('aria-current', i === index));
  }
  slider.addEventListener('input', update);
  update();
  return [
    element('label', { for: 'lens-layer' }, 'Layer'), slider, title, detail,
    element('h2', {}, 'All layers'), grid,
    element('p', { class: 'soft' }, 'The first prediction at each position. A frame marks another token than in the last layer.'),
  ];
}

function question({ context, answer, start, end, score, null_score }) {
  if (answer === null) return [element('p', {}, 'The model finds no answer in the text.')];
  return [
    element('p', {}, context.slice(0, start), element('mark', {}, context.slice(start, end)), context.slice(end)),
    element('p', { class: 'soft' }, `Answer: “${answer}”, score ${score.toFixed(2)}` +
      (null_score === null || null_score === undefined ? '.' : `; score of no answer ${null_score.toFixed(2)}.`)),
  ];
}

export const PANELS = { tokens, 'fill-mask': fillMask, sentiment, compare, nearest, attention, lens, question };
