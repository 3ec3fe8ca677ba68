// Data, words and state that the other scripts share.

const DATA = JSON.parse(document.getElementById('data').textContent);
const COLORS = {  // Okabe and Ito's palette, which survives color blindness; lighter twins on dark paper
  light: { 'float32': '#0072b2', 'int8': '#009e73', 'xnor1/1': '#e69f00', 'xnor2/1': '#d55e00', 'xnor3/1': '#cc79a7', 'xnor2/2': '#56b4e9' },
  dark: { 'float32': '#4ea8de', 'int8': '#2cc59b', 'xnor1/1': '#f0b93a', 'xnor2/1': '#f4803c', 'xnor3/1': '#e29bc5', 'xnor2/2': '#8fd0f5' },
};
const SPARE = ['#7f7f7f', '#bcbd22', '#17becf', '#8c564b'];
const SYMBOLS = { face: 'circle', voice: 'triangle-up', fusion: 'diamond' };
const SLOTS = ['A', 'B', 'C'];
const SLOT_COLORS = { light: ['#0b62a8', '#b3500a', '#5b3a94'], dark: ['#6db7f2', '#f5a35c', '#c3a6f5'] };

const designs = DATA.designs.map((row, index) => {
  const design = { index };
  DATA.fields.forEach((name, i) => { design[name] = row[i]; });
  design.branches = design.branches.map((i) => DATA.branches[i]);
  design.board = DATA.boards[design.board];
  design.bom_cost_usd = design.board.price_usd;
  design.weight_bytes = design.branches.reduce((sum, branch) => sum + branch.weight_bytes, 0);
  design.params = design.branches.reduce((sum, branch) => sum + branch.params, 0);
  design.board_name = design.board.buildable ? design.board.name : `${design.board.name} (on paper only)`;
  design.network = design.branches.map((b) => `${b.modality} ${b.layout} ${b.precision}`).join(' + ');
  return design;
});
const byId = new Map(designs.map((design) => [design.id, design]));
const precisions = Object.keys(COLORS.light).concat(
  [...new Set(DATA.branches.map((branch) => branch.precision))].filter((name) => !(name in COLORS.light)).sort(),
).filter((name) => DATA.branches.some((branch) => branch.precision === name));
const modalities = Object.keys(SYMBOLS).filter((name) => designs.some((design) => design.modality === name));

const state = {
  budget: Infinity,
  limits: {},              // bounds by name of what is limited beside the cost
  hidden: new Set(),       // precisions and modalities that are switched off
  processor: '',           // the only one that is shown; empty for all
  dominated: true,         // whether dominated designs are drawn
  chosen: [],              // designs compared, at most three
  front: [],               // front within the budget and the filters
  rest: [],                // other designs within them
};

const theme = () => (document.documentElement.dataset.theme === 'dark' ? 'dark' : 'light');
const colorOf = (precision) => COLORS[theme()][precision]
  || SPARE[Math.max(precisions.indexOf(precision), 0) % SPARE.length];
const css = (name) => getComputedStyle(document.documentElement).getPropertyValue(name).trim();
const isKnown = (value) => value !== null && value !== undefined;

// As Python writes numbers, so that cards, table and advice agree: exact halves go to the even digit.
// Small numbers have two digits that say something, and not the last decimal alone or none.
const trim = (value, decimals) => {
  const size = Math.abs(value);
  const digits = size >= 1e-6 && size < 10 ** -decimals ? 1 - Math.floor(Math.log10(size)) : decimals;
  const half = Number.isInteger(value * 2 ** (digits + 1)) && Math.abs((value * 10 ** digits) % 1) === 0.5;
  return (half ? (2 * Math.round((value * 10 ** digits) / 2)) / 10 ** digits : value).toFixed(digits);
};
const percent = (value) => (isKnown(value) ? `${trim(value * 100, 1)} %` : '-');
// Amounts are US$ everywhere and are written in the currency of the budget.
const currency = (value) => (DATA.currency.code === 'usd' ? `$${trim(value, 2)}` : `${trim(value / DATA.currency.usd, 2)} ${DATA.currency.code.toUpperCase()}`);
const usd = (value) => (isKnown(value) ? `${value < 0 ? '-' : ''}${currency(Math.abs(value))}` : '-');
const seconds = (value) => {
  if (!isKnown(value)) return '-';
  return value < 1 ? `${trim(value * 1000, value < 0.001 ? 2 : value < 0.01 ? 1 : 0)} ms` : `${trim(value, 2)} s`;
};
const bytes = (value) => {
  if (value >= 1048576) return value % 1048576 === 0 ? `${value / 1048576} MB` : `${trim(value / 1048576, 2)} MiB`;
  return value >= 1024 ? `${trim(value / 1024, value % 1024 ? 1 : 0)} KiB` : `${value} B`;
};
const energy = (value) => {
  if (!isKnown(value)) return '-';
  return value < 1000 ? `${trim(value, 1)} mJ` : `${trim(value / 1000, 1)} J`;
};
const power = (value) => (isKnown(value) ? `${trim(value, value < 10 ? 2 : 0)} mW` : '-');
const lifetime = (days) => {
  if (!isKnown(days)) return '-';
  if (days < 2) return `${Number((days * 24).toPrecision(2))} hours`;
  return days < 730 ? `${trim(days, 0)} days` : `${trim(days / 365.25, 1)} years`;
};
const range = (low, high, form) => (isKnown(low) && isKnown(high) && form(low) !== form(high) ? ` [${form(low)} to ${form(high)}]` : '');

// An element with attributes and children; text is never parsed as HTML.
function make(tag, attributes, ...children) {
  const svg = tag.startsWith('svg:');
  const element = svg ? document.createElementNS('http://www.w3.org/2000/svg', tag.slice(4)) : document.createElement(tag);
  Object.entries(attributes || {}).forEach(([name, value]) => {
    if (value !== null && value !== undefined && value !== false) element.setAttribute(name, value === true ? '' : value);
  });
  element.append(...children.filter((child) => child !== null && child !== undefined));
  return element;
}

// Plotly reads a little HTML in its texts, so what comes from catalogues is escaped for it.
const escaped = (text) => String(text).replace(/&/g, '&amp;').replace(/</g, '&lt;').replace(/>/g, '&gt;');

// Nobody is ever accepted: such an effective latency is endless, and null in the data.
const orEndless = (value) => (isKnown(value) ? value : Infinity);
// Less is better, as the search records it: of a battery's days the negative.
const recorded = (design, name) => (DATA.maximized.includes(name) ? -design[name] : orEndless(design[name]));
const atLeastAsGood = (first, second, names) => names.every((name) => recorded(first, name) <= recorded(second, name));
const isRated = (design, name) => isKnown(design[name]) || (name.startsWith('effective_') && isKnown(design.eer));

// The front of some designs as the search takes it: by the rates that decide, then without those that another one
// beats or equals by the rates shown. Unknown values lose.
function frontOf(candidates) {
  const decided = DATA.objectives.map((name) => (DATA.fields.includes(`${name}_decided`) ? `${name}_decided` : name));
  let kept = candidates.filter((design) => DATA.objectives.every((name) => isRated(design, name)));
  [decided, DATA.objectives].forEach((names) => {
    const order = [...kept].sort((a, b) => names.reduce((sign, name) => sign || recorded(a, name) - recorded(b, name), 0)
      || b.front - a.front || a.index - b.index);
    const best = [];
    order.forEach((design) => { if (!best.some((other) => atLeastAsGood(other, design, names))) best.push(design); });
    kept = best;
  });
  return kept.sort((a, b) => a.index - b.index);
}

const visible = (design) => !state.hidden.has(design.modality)
  && (!state.processor || design.board.processor === state.processor)
  && !design.branches.some((branch) => state.hidden.has(branch.precision));

// What is not known keeps no limit.
const keepsLimits = (design) => Object.entries(state.limits).every(([name, bound]) => isKnown(design[name])
  && (name === 'battery_days' ? design[name] >= bound : design[name] <= bound));

function refilter() {
  const affordable = designs.filter((design) => design.bom_cost_usd <= state.budget + 5e-5 && keepsLimits(design) && visible(design));
  state.front = frontOf(affordable);
  const front = new Set(state.front);
  state.rest = affordable.filter((design) => !front.has(design));
}
