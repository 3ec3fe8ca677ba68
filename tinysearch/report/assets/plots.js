// The paper's figures and the parallel coordinates, drawn by Plotly when they come into view.

const FIGURES = [
  { key: 'cost', x: 'bom_cost_usd', y: 'eer', title: `${DATA.rate} / cost`, note: 'what money buys' },
  { key: 'latency', x: 'latency_s', y: 'eer', title: `${DATA.rate} / latency`, note: 'computing only, without capture', log: true },
  { key: 'size', x: 'weight_bytes', y: 'eer', title: `${DATA.rate} / parameter size`, note: 'weights as packed in flash', log: true },
  { key: 'far1', x: 'bom_cost_usd', y: 'effective_latency_far1_s', title: 'Effective latency / cost, FAR 1 %', note: 'capture and retries included', logY: true },
  { key: 'far10', x: 'bom_cost_usd', y: 'effective_latency_far10_s', title: 'Effective latency / cost, FAR 10 %', note: 'capture and retries included', logY: true },
  { key: 'energy', x: 'energy_mj', y: 'eer', title: `${DATA.rate} / energy`, note: 'computing only', log: true },
];
const WITHOUT_RATES = { key: 'speed', x: 'bom_cost_usd', y: 'latency_s', title: 'Latency / cost', note: 'error rates are not known', logY: true };
const largest = (name) => designs.reduce((most, design) => Math.max(most, design[name] || 0), 0);
const inSeconds = (name, text) => (largest(name) < 10 ? { text: `${text} (ms)`, scale: 1000 } : { text: `${text} (s)`, scale: 1 });
const AXES = {
  eer: { text: `${DATA.rate} (%)`, scale: 100 },
  bom_cost_usd: { text: `board cost (${DATA.currency.code === 'usd' ? 'US$' : DATA.currency.code.toUpperCase()})`, scale: 1 / DATA.currency.usd },
  latency_s: inSeconds('latency_s', 'latency'),
  weight_bytes: { text: 'weights (KiB)', scale: 1 / 1024 },
  effective_latency_far1_s: inSeconds('effective_latency_far1_s', 'effective latency'),
  effective_latency_far10_s: inSeconds('effective_latency_far10_s', 'effective latency'),
  energy_mj: largest('energy_mj') < 10000 ? { text: 'energy (mJ)', scale: 1 } : { text: 'energy (J)', scale: 1e-3 },
};
const PARALLEL = [
  ['bom_cost_usd', 'cost', usd], ['eer', DATA.rate, percent], ['latency_s', 'latency', seconds],
  ['effective_latency_far1_s', 'eff. FAR 1 %', seconds], ['weight_bytes', 'weights', bytes], ['flash_bytes', 'flash', bytes],
  ['ram_bytes', 'RAM', bytes], ['energy_mj', 'energy', energy],
];
const MARGIN = { l: 54, r: 12, t: 30, b: 46 };
const drawn = new Map();   // element -> function that redraws it
const inView = new Set();
const stale = new Set();

function hover(design, onFront) {
  design.words = design.words || describe(design);
  return `${design.words}<br>${onFront ? '<b>on the front</b>' : 'dominated'}`;
}

function describe(design) {
  const board = design.board;
  return [
    `<b>${escaped(design.network)}</b>`,
    `${escaped(design.board_name)}, ${escaped(board.processor)}, ${board.cores} core${board.cores > 1 ? 's' : ''}`,
    `cost ${usd(board.price_usd)}${range(board.low_usd, board.high_usd, usd)}`,
    `${DATA.rate} ${percent(design.eer)}${range(design.eer_low, design.eer_high, percent)} (${escaped(design.eer_evidence)})`,
    `capture ${seconds(design.acquisition_s)}, computing ${seconds(design.latency_s)}${range(design.latency_low_s, design.latency_high_s, seconds)} (${escaped(design.latency_evidence)})`,
    ...atTheDoor(design),
    `effective ${seconds(design.effective_latency_far1_s)} at FAR 1 %, ${seconds(design.effective_latency_far10_s)} at 10 %`,
    `weights ${bytes(design.weight_bytes)}, flash ${bytes(design.flash_bytes)}, RAM ${bytes(design.ram_bytes)}`,
    `energy ${energy(design.energy_mj)}`,
    ...(isKnown(design.battery_days) ? [`runs ${lifetime(design.battery_days)}, ${power(design.power_mw)} on average`] : []),
  ].join('<br>');
}

// What the firmware's threshold means to an owner, as a list of at most one line.
function atTheDoor(design) {
  if (!isKnown(design.frr)) return [];
  const until = isKnown(design.effective_latency_s) ? `, in after ${seconds(design.effective_latency_s)}` : '';
  return [`FRR ${percent(design.frr)}${range(design.frr_low, design.frr_high, percent)} at FAR ${share(DATA.operating_far)}${until}`];
}

// A chosen rate, without digits that nobody chose: 1 %, 0.1 %.
const share = (rate) => `${Number((100 * rate).toPrecision(3))} %`;

const fill = (design) => colorOf(design.branches[0].precision);
const rim = (design) => colorOf(design.branches[design.branches.length - 1].precision);

const inFigure = (list, figure) => list.filter((design) => isKnown(design[figure.x]) && isKnown(design[figure.y]));
const CELLS = 110;
const rulers = new Map();

// Where a design lies in a figure, in cells of about three pixels.
function cellOf(design, figure) {
  if (!rulers.has(figure.key)) {
    rulers.set(figure.key, [[figure.x, figure.log], [figure.y, figure.logY]].map(([name, log]) => {
      const scale = log ? Math.log : (value) => value;
      const values = inFigure(designs, figure).map((other) => scale(other[name]));
      const [low, high] = [Math.min(...values), Math.max(...values)];
      return (other) => Math.round(((scale(other[name]) - low) / (high - low || 1)) * CELLS);
    }));
  }
  return rulers.get(figure.key).map((ruler) => ruler(design)).join(' ');
}

// Of designs that would be drawn over one another in one color and shape, the first.
function uncovered(list, figure) {
  const seen = new Set();
  return inFigure(list, figure).filter((design) => {
    const place = `${cellOf(design, figure)} ${design.modality} ${design.branches[0].precision}`;
    return !seen.has(place) && seen.add(place);
  });
}

function scatter(list, figure, options) {
  const points = options.front ? inFigure(list, figure) : uncovered(list, figure);
  const [sx, sy] = [AXES[figure.x].scale, AXES[figure.y].scale];
  const trace = {
    type: 'scatter', mode: 'markers', showlegend: false,
    x: points.map((design) => design[figure.x] * sx), y: points.map((design) => design[figure.y] * sy),
    customdata: points.map((design) => design.id), text: points.map((design) => hover(design, options.front)),
    hovertemplate: '%{text}<extra></extra>', opacity: options.opacity, name: options.front ? 'front' : 'dominated',
    marker: {
      size: options.size, symbol: points.map((design) => SYMBOLS[design.modality] || 'square'),
      color: points.map(fill), line: { width: options.rim, color: points.map(rim) },
    },
  };
  return options.front ? { ...trace, ...errorBars(points, figure, ['eer', 'latency_s'], css('--bar')) } : trace;
}

// Bars of the figures named, zero where the limits are not known.
function errorBars(points, figure, names, color) {
  const bars = { color, thickness: 1.2, width: 0, type: 'data', symmetric: false };
  const found = {};
  [['error_x', figure.x], ['error_y', figure.y]].filter(([, name]) => names.includes(name)).forEach(([bar, name]) => {
    const limits = LIMITS[name];
    const length = (design, side) => {
      const [low, high] = limits(design);
      if (!isKnown(low) || !isKnown(high)) return 0;
      return Math.max(side ? high - design[name] : design[name] - low, 0) * AXES[name].scale;
    };
    found[bar] = { ...bars, array: points.map((design) => length(design, 1)), arrayminus: points.map((design) => length(design, 0)) };
  });
  return found;
}

const LIMITS = {
  eer: (design) => [design.eer_low, design.eer_high],
  latency_s: (design) => [design.latency_low_s, design.latency_high_s],
  bom_cost_usd: (design) => [design.board.low_usd, design.board.high_usd],
};

// The lower left boundary of designs in one figure alone, as stairs.
function stairs(list, figure) {
  const points = inFigure(list, figure)
    .sort((a, b) => a[figure.x] - b[figure.x] || a[figure.y] - b[figure.y]);
  const steps = [];
  points.forEach((design) => { if (!steps.length || design[figure.y] < steps[steps.length - 1][figure.y]) steps.push(design); });
  return {
    type: 'scatter', mode: 'lines', hoverinfo: 'skip', showlegend: false, line: { shape: 'hv', width: 1.5, color: css('--soft'), dash: 'dot' },
    x: steps.map((design) => design[figure.x] * AXES[figure.x].scale), y: steps.map((design) => design[figure.y] * AXES[figure.y].scale),
  };
}

function rings(figure) {
  const points = inFigure(state.chosen, figure);
  return {
    type: 'scatter', mode: 'markers+text', hoverinfo: 'skip', showlegend: false,
    x: points.map((design) => design[figure.x] * AXES[figure.x].scale), y: points.map((design) => design[figure.y] * AXES[figure.y].scale),
    text: points.map((design) => SLOTS[state.chosen.indexOf(design)]), textposition: 'top right',
    textfont: { size: 15, color: css('--ink') }, cliponaxis: false, // a letter above the highest point is whole, too
    marker: { size: 20, color: 'rgba(0,0,0,0)', line: { width: 2.5, color: points.map((design) => slotColor(design)) } },
    ...errorBars(points, figure, Object.keys(LIMITS), css('--soft')),
  };
}

const slotColor = (design) => SLOT_COLORS[theme()][state.chosen.indexOf(design)];

function layout(extra) {
  const axis = { gridcolor: css('--line'), zerolinecolor: css('--line'), linecolor: css('--line'), automargin: true };
  const { xaxis, yaxis, ...rest } = extra;
  return {
    paper_bgcolor: 'rgba(0,0,0,0)', plot_bgcolor: 'rgba(0,0,0,0)', margin: MARGIN, hovermode: 'closest',
    font: { color: css('--ink'), size: 12, family: 'system-ui, sans-serif' },
    hoverlabel: { bgcolor: css('--paper'), bordercolor: css('--line'), font: { color: css('--ink'), size: 12 }, align: 'left' },
    modebar: { bgcolor: 'rgba(0,0,0,0)', color: css('--soft'), activecolor: css('--accent') },
    dragmode: window.matchMedia('(pointer: coarse)').matches ? false : 'zoom',
    ...rest, xaxis: { ...axis, ...xaxis }, yaxis: { ...axis, ...yaxis },
  };
}

const CONFIG = {
  responsive: true, displaylogo: false, showSendToCloud: false, displayModeBar: window.matchMedia('(pointer: coarse)').matches ? false : 'hover',
  modeBarButtonsToRemove: ['lasso2d', 'select2d', 'autoScale2d'], toImageButtonOptions: { scale: 2 },
};

function drawFigure(element, figure) {
  const traces = [
    scatter(state.dominated ? state.rest : [], figure, { size: 5, rim: 0, opacity: 0.35, front: false }),
    stairs([...state.front, ...state.rest], figure),
    scatter(state.front, figure, { size: 10, rim: 2, opacity: 1, front: true }),
    rings(figure),
  ];
  return Plotly.react(element, traces, layout({
    xaxis: { title: { text: AXES[figure.x].text }, ...logAxis(figure.log, figure.x) },
    yaxis: { title: { text: AXES[figure.y].text }, rangemode: 'tozero', ...logAxis(figure.logY, figure.y) },
    uirevision: figure.key,
  }), CONFIG);
}

// Ticks at 1, 2 and 5 of every power of ten, each with its whole number: by default Plotly writes a bare 2 or 5. Beyond
// two powers they would touch: there the powers alone have numbers, and the others a line.
function logAxis(log, key) {
  if (!log) return {};
  const values = designs.map((design) => design[key]).filter((value) => isKnown(value) && value > 0);
  const far = Math.max(...values) > 100 * Math.min(...values);
  return {
    type: 'log', dtick: far ? 1 : 'D2', tickformat: ',~r',
    ...(far && { minor: { dtick: 'D2', showgrid: true, gridcolor: css('--line') } }),
  };
}

function drawParallel(element) {
  const narrow = element.clientWidth < 620;
  const axes = PARALLEL.filter(([name], i) => (!narrow || i < 5) && designs.some((design) => design.front && isKnown(design[name])));
  const spans = axes.map(([name]) => {
    const values = designs.filter((design) => design.front && isKnown(design[name])).map((design) => design[name]);
    return [Math.min(...values), Math.max(...values)];
  });
  const place = (design, i) => {
    const value = design[axes[i][0]];
    return isKnown(value) ? (value - spans[i][0]) / (spans[i][1] - spans[i][0] || 1) : null;
  };
  const line = (design) => {
    const slot = state.chosen.indexOf(design);
    return {
      type: 'scatter', mode: 'lines+markers', showlegend: false, x: axes.map((_, i) => i), y: axes.map((_, i) => place(design, i)),
      customdata: axes.map(() => design.id), text: axes.map(() => hover(design, true)), hovertemplate: '%{text}<extra></extra>',
      opacity: slot < 0 ? (state.chosen.length ? 0.4 : 0.75) : 1,
      line: { width: slot < 0 ? 1.3 : 4, color: slot < 0 ? fill(design) : slotColor(design) },
      marker: { size: slot < 0 ? 5 : 9, symbol: SYMBOLS[design.modality] || 'square' },
    };
  };
  const ordered = [...state.front].sort((a, b) => state.chosen.includes(a) - state.chosen.includes(b));
  return Plotly.react(element, ordered.map(line), layout({
    xaxis: { tickvals: axes.map((_, i) => i), ticktext: axes.map(([, label, form], i) => `<b>${label}</b><br>${form(spans[i][0])}`), tickangle: 0, tickfont: { size: narrow ? 10 : 12 }, range: [-0.3, axes.length - 0.7], zeroline: false, fixedrange: true },
    yaxis: { visible: false, range: [-0.04, 1.1], fixedrange: true },
    annotations: axes.map(([, , form], i) => ({ x: i, y: 1.08, text: form(spans[i][1]), showarrow: false, font: { size: 11 } })),
    margin: { l: 20, r: 20, t: 24, b: 52 },
  }), CONFIG);
}

// A figure that draws itself when it is first seen, and again when something changed while it was out of sight.
function addFigure(parent, { key, title, note, wide }, draw) {
  const element = make('div', { class: 'plot', id: `plot-${key}`, role: 'img', 'aria-label': `${title}: ${note}` },
    make('div', { class: 'waiting' }, 'drawing'));
  parent.append(make('figure', { class: wide ? 'figure wide' : 'figure' }, element, make('figcaption', {}, make('b', {}, title), `, ${note}`)));
  drawn.set(element, draw);
  stale.add(element);
  observer.observe(element);
  return element;
}

const observer = new IntersectionObserver((entries) => {
  entries.forEach((entry) => { if (entry.isIntersecting) inView.add(entry.target); else inView.delete(entry.target); });
  redraw();
}, { rootMargin: '200px' });

// One figure a frame, so that the slider stays under the finger; what changed last waits its turn.
let scheduled = false;
function redraw() {
  const next = [...stale].find((element) => inView.has(element));
  if (scheduled || !next || !window.Plotly) return;
  scheduled = true;
  requestAnimationFrame(() => {
    scheduled = false;
    if (stale.has(next)) drawNow(next);
    redraw();
  });
}

// On paper a figure has the width of its column, which Plotly does not look up by itself.
function drawNow(element, printing) {
  stale.delete(element);
  element.querySelector('.waiting')?.remove();
  drawn.get(element)(element);
  if (printing) Plotly.relayout(element, { width: element.clientWidth, height: element.clientHeight });
  if (element.dataset.wired) return;
  element.dataset.wired = 'yes';
  element.on('plotly_click', (event) => {
    const design = byId.get(event.points[0] && event.points[0].customdata);
    if (design) toggle(design);
  });
}

function redrawAll() {
  drawn.forEach((_, element) => stale.add(element));
  redraw();
}

function addFigures() {
  const parent = document.getElementById('plots');
  if (!designs.length) return;
  const shown = FIGURES.filter((figure) => inFigure(designs, figure).length);
  (shown.length ? shown : [WITHOUT_RATES])
    .forEach((figure) => addFigure(parent, figure, (element) => drawFigure(element, figure)));
  addFigure(parent, { key: 'parallel', title: 'Parallel coordinates', note: 'every line is a point of the front; low is good on every axis', wide: true }, drawParallel);
}
