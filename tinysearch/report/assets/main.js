// Controls, table, theme, and the start.

const slider = document.getElementById('budget');
const amount = document.getElementById('amount');
const table = document.getElementById('table');

function setUpControls() {
  const costs = designs.map((design) => design.bom_cost_usd);
  if (!costs.length) return;
  const unit = DATA.currency.usd;
  const low = Math.floor((Math.min(...costs) / unit) * 100) / 100;
  const high = Math.ceil((Math.max(...costs, isKnown(DATA.budget_usd) ? DATA.budget_usd : 0) / unit) * 100) / 100;
  [slider, amount].forEach((input) => {
    input.min = low;
    input.max = high;
    input.value = isKnown(DATA.budget_usd) ? Number((DATA.budget_usd / unit).toFixed(2)) : high;
  });
  state.budget = Number(amount.value) * unit;
  slider.addEventListener('input', () => { amount.value = slider.value; setBudget(Number(slider.value) * unit); });
  amount.addEventListener('input', () => { if (amount.value !== '') { slider.value = amount.value; setBudget(Number(amount.value) * unit); } });
  const form = document.getElementById('controls');
  form.addEventListener('submit', (event) => event.preventDefault());
  form.hidden = false;
  setUpLimits();
  fillProcessors();
  fillLegend();
}

// One slider for the limit of any figure that differs from design to design, the loosest at its end: no limit.
const LIMITED = [
  ['latency_s', 'latency', seconds], ['eer', 'error', percent], ['energy_mj', 'energy', energy], ['ram_bytes', 'RAM', bytes],
  ['flash_bytes', 'flash', bytes], ['battery_days', 'battery life', lifetime],
];

function setUpLimits() {
  const steps = {};
  LIMITED.forEach(([name]) => {
    const values = [...new Set(designs.map((design) => design[name]).filter(isKnown))].sort((a, b) => a - b);
    if (values.length > 1) steps[name] = name === 'battery_days' ? values.reverse() : values;
  });
  const offered = LIMITED.filter(([name]) => steps[name]);
  if (!offered.length) return;
  const [select, limit, bound] = ['limited', 'limit', 'bound'].map((id) => document.getElementById(id));
  const say = () => {
    bound.textContent = offered.filter(([name]) => name in state.limits)
      .map(([name, label, form]) => `${label} at ${name === 'battery_days' ? 'least' : 'most'} ${form(state.limits[name])}`).join(', ') || 'none';
  };
  const choose = () => {
    const values = steps[select.value];
    limit.max = values.length - 1;
    limit.value = select.value in state.limits ? values.indexOf(state.limits[select.value]) : values.length - 1;
    say();
  };
  select.replaceChildren(...offered.map(([name, label]) => make('option', { value: name }, label)));
  select.addEventListener('change', choose);
  limit.addEventListener('input', () => {
    const values = steps[select.value];
    if (Number(limit.value) === values.length - 1) delete state.limits[select.value];
    else state.limits[select.value] = values[Number(limit.value)];
    say();
    apply();
  });
  document.getElementById('limits').hidden = false;
  choose();
}

// The same networks on one processor: what the choice of chip does to cost and latency.
function fillProcessors() {
  const names = [...new Set(designs.map((design) => design.board.processor))].sort();
  const select = document.getElementById('processor');
  const worded = (name) => {
    const cores = designs.find((design) => design.board.processor === name).board.cores;
    return `${(DATA.processors[name] || {}).name || name}, ${cores} core${cores > 1 ? 's' : ''}`;
  };
  select.replaceChildren(make('option', { value: '' }, 'all'), ...names.map((name) => make('option', { value: name }, worded(name))));
  select.addEventListener('change', () => { state.processor = select.value; apply(); });
  document.getElementById('chips').hidden = names.length < 2;
}

function setBudget(budget) {
  state.budget = budget;
  apply();
}

function apply() {
  refilter();
  const shown = new Set(state.front.map((design) => design.id));
  state.front.forEach((design) => { if (!rowOf(design.id)) addRow(design); });
  table.querySelectorAll('tbody tr').forEach((row) => { row.hidden = !shown.has(row.dataset.id); });
  const above = isKnown(DATA.budget_usd) && state.budget > DATA.budget_usd + 5e-5;
  document.getElementById('count').textContent = `${bestShown()}${state.front.length} on the front, ${state.rest.length} dominated`
    + (above ? `; above the run's ${usd(DATA.budget_usd)}, only networks that are trained already` : '');
  slider.setAttribute('aria-valuetext', `${usd(state.budget)}, ${state.front.length} points`);
  redrawAll();
}

// The answer for what is shown, in a few words.
function bestShown() {
  const known = state.front.filter((design) => isKnown(design.eer));
  if (!known.length) return '';
  const best = known.reduce((a, b) => (b.eer < a.eer || (b.eer === a.eer && b.bom_cost_usd < a.bom_cost_usd) ? b : a));
  return `Lowest ${DATA.rate} ${percent(best.eer)}: ${best.network} on ${best.board_name}, ${usd(best.bom_cost_usd)}; `;
}

const rowOf = (id) => [...table.querySelectorAll('tbody tr')].find((row) => row.dataset.id === id);

// Where cost is no objective, a smaller budget has points that the whole front lacks.
function addRow(design) {
  const cells = {
    network: design.network, board: design.board_name, eer: `${percent(design.eer)}${range(design.eer_low, design.eer_high, percent)}`,
    frr: `${percent(design.frr)}${range(design.frr_low, design.frr_high, percent)}`, effective: seconds(design.effective_latency_s),
    capture: seconds(design.acquisition_s), cost: usd(design.bom_cost_usd), latency: seconds(design.latency_s), far1: seconds(design.effective_latency_far1_s),
    far10: seconds(design.effective_latency_far10_s), weights: bytes(design.weight_bytes), flash: bytes(design.flash_bytes),
    ram: bytes(design.ram_bytes), energy: energy(design.energy_mj), power: power(design.power_mw), battery: lifetime(design.battery_days), evidence: `${design.eer_evidence}, ${design.latency_evidence}`, firmware: '',
  };
  const box = make('input', { type: 'checkbox', 'aria-label': `compare ${design.network} on ${design.board_name}` });
  const row = make('tr', { 'data-id': design.id }, make('td', { class: 'text' }, box, ' ', make('span', { class: 'slot' })));
  table.querySelectorAll('thead th[data-sort]').forEach((head) => row.append(make('td', { class: head.className }, cells[head.dataset.sort])));
  table.tBodies[0].append(row);
  wireRow(row);
}

function wireRow(row) {
  const box = row.querySelector('input');
  box.hidden = false;
  box.addEventListener('change', () => toggle(byId.get(row.dataset.id)));
}

const SORTED_BY = {
  network: 'network', eer: 'eer', frr: 'frr', effective: 'effective_latency_s', capture: 'acquisition_s', cost: 'bom_cost_usd', latency: 'latency_s', far1: 'effective_latency_far1_s', energy: 'energy_mj',
  power: 'power_mw', battery: 'battery_days',
  far10: 'effective_latency_far10_s', weights: 'weight_bytes', flash: 'flash_bytes', ram: 'ram_bytes',
};

function setUpTable() {
  table.querySelector('.picker').hidden = false;
  table.querySelectorAll('tbody tr').forEach(wireRow);
  table.querySelectorAll('th[data-sort]').forEach((head) => {
    const name = SORTED_BY[head.dataset.sort];
    if (!name) return;
    const button = make('button', { type: 'button' }, head.textContent);
    head.dataset.label = head.textContent;
    head.replaceChildren(button);
    button.addEventListener('click', () => sortBy(head, name));
  });
}

function sortBy(head, name) {
  const sign = head.getAttribute('aria-sort') === 'ascending' ? -1 : 1;
  table.querySelectorAll('th').forEach((other) => other.removeAttribute('aria-sort'));
  head.setAttribute('aria-sort', sign > 0 ? 'ascending' : 'descending');
  const value = (row) => byId.get(row.dataset.id)[name];
  const compare = (a, b) => (value(a) < value(b) ? -sign : value(a) > value(b) ? sign : 0);
  table.tBodies[0].append(...[...table.tBodies[0].rows].sort(compare));
}

const SHAPES = { face: 'M7 2a5 5 0 1 0 .001 0z', voice: 'M7 1.5L13 12.5H1z', fusion: 'M7 0.5L13.5 7L7 13.5L0.5 7z' };

function fillLegend() {
  const legend = document.getElementById('legend');
  const box = (name, picture, checked, change) => {
    const input = make('input', { type: 'checkbox', checked });
    input.addEventListener('change', () => { change(input.checked); apply(); });
    return make('label', {}, input, picture, name);
  };
  const hide = (name) => (checked) => { if (checked) state.hidden.delete(name); else state.hidden.add(name); };
  const icon = (path, style) => make('svg:svg', { viewBox: '0 0 14 14', 'aria-hidden': 'true' }, make('svg:path', { d: path, style }));
  legend.replaceChildren(
    ...precisions.map((name) => box(name, icon('M1 1H13V13H1z', `fill: ${colorOf(name)}`), !state.hidden.has(name), hide(name))),
    ...modalities.map((name) => box(name, icon(SHAPES[name], 'fill: var(--ink)'), !state.hidden.has(name), hide(name))),
    box('dominated', icon('M5 5H9V9H5z', 'fill: var(--soft)'), state.dominated, (checked) => { state.dominated = checked; }),
    ...(modalities.includes('fusion') ? [make('span', { class: 'soft' }, 'fusion: face inside, voice as rim')] : []),
  );
}

function setTheme(name) {
  document.documentElement.dataset.theme = name;
  document.getElementById('theme').textContent = name === 'dark' ? 'Light' : 'Dark';
}

function setUpTheme() {
  const button = document.getElementById('theme');
  const wanted = window.matchMedia('(prefers-color-scheme: dark)');
  const recolor = (name) => { setTheme(name); if (designs.length) fillLegend(); showChosen(); };
  button.hidden = false;
  button.addEventListener('click', () => recolor(theme() === 'dark' ? 'light' : 'dark'));
  wanted.addEventListener('change', (event) => recolor(event.matches ? 'dark' : 'light'));
  setTheme(wanted.matches ? 'dark' : 'light');
  let before = null;
  window.addEventListener('beforeprint', () => {
    const folded = [...document.querySelectorAll('details:not([open])')];
    before = { theme: theme(), folded };
    folded.forEach((element) => { element.open = true; });
    document.documentElement.classList.add('printing');
    recolor('light');
    if (window.Plotly) drawn.forEach((_, element) => drawNow(element, 'printing'));
  });
  window.addEventListener('afterprint', () => {
    if (!before) return;
    before.folded.forEach((element) => { element.open = false; });
    document.documentElement.classList.remove('printing');
    recolor(before.theme);
  });
}

function setUpAdvice() {
  document.querySelectorAll('button[data-show]').forEach((button) => {
    const points = button.dataset.show.split(' ').map((id) => byId.get(id)).filter(Boolean).slice(0, 3);
    button.hidden = !points.length;
    button.addEventListener('click', () => {
      state.chosen = points;
      showChosen();
      document.getElementById('compare').scrollIntoView();
    });
  });
  document.getElementById('hint').hidden = false;
  document.getElementById('clear').addEventListener('click', () => { state.chosen = []; showChosen(); });
}

// Plotly travels compressed; its text is run by the digest that the page's policy names.
async function loadPlotly() {
  const packed = Uint8Array.from(atob(document.getElementById('plotly').textContent), (letter) => letter.charCodeAt(0));
  const stream = new Blob([packed]).stream().pipeThrough(new DecompressionStream('gzip'));
  const script = document.createElement('script');
  script.textContent = await new Response(stream).text();
  document.head.append(script);
  if (!window.Plotly) throw new Error('Plotly did not start');
}

function reportProblem(error) {
  document.querySelectorAll('.waiting').forEach((element) => { element.textContent = `The figures cannot be drawn here (${error.message}); advice and table hold all numbers.`; });
}

setUpTheme();
setUpControls();
setUpTable();
setUpAdvice();
addFigures();
addCurves();
state.chosen = DATA.first.map((id) => byId.get(id)).filter(Boolean);
apply();
showChosen();
requestAnimationFrame(() => setTimeout(() => loadPlotly().then(() => {
  document.documentElement.dataset.ready = 'yes';
  redraw();
}, reportProblem), 0));
