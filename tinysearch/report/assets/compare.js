// Two or three chosen points side by side, and their curves.

function toggle(design) {
  const at = state.chosen.indexOf(design);
  if (at >= 0) state.chosen.splice(at, 1);
  else state.chosen = [...state.chosen.slice(-2), design];
  showChosen();
}

function showChosen() {
  document.querySelectorAll('#table tbody tr').forEach((row) => {
    const slot = state.chosen.findIndex((design) => design.id === row.dataset.id);
    row.classList.toggle('chosen', slot >= 0);
    row.querySelector('input').checked = slot >= 0;
    row.querySelector('.slot').textContent = slot >= 0 ? SLOTS[slot] : '';
  });
  document.querySelectorAll('.tag').forEach((tag) => {
    const slot = state.chosen.findIndex((design) => design.id === tag.dataset.id);
    tag.textContent = slot >= 0 ? SLOTS[slot] : '';
  });
  document.getElementById('cards').replaceChildren(...state.chosen.map(card));
  redrawAll();
}

// A row of a card; none where nothing is known to say.
function line(name, value, known = true) {
  if (!known) return null;
  return make('tr', {}, make('td', { class: 'text soft' }, name), make('td', {}, value));
}

function card(design, slot) {
  const compared = state.chosen;
  const heading = make('h3', {}, make('b', {}, SLOTS[slot]), make('span', {}, `${design.network} on ${design.board_name}`));
  const remove = make('button', { type: 'button', 'aria-label': `remove ${SLOTS[slot]} from the comparison` }, '\u00d7');
  remove.addEventListener('click', () => toggle(design));
  heading.append(remove);
  const figures = make('table', {}, make('tbody', {},
    line(DATA.rate, `${percent(design.eer)}${range(design.eer_low, design.eer_high, percent)}, ${design.eer_evidence}`, isKnown(design.eer)),
    line(`FRR at FAR ${share(DATA.operating_far)}`, `${percent(design.frr)}${range(design.frr_low, design.frr_high, percent)}`, isKnown(design.frr)),
    line('until an owner is in', isKnown(design.effective_latency_s) ? seconds(design.effective_latency_s) : 'never', isKnown(design.frr) && DATA.retried),
    line('cost', `${usd(design.board.price_usd)}${range(design.board.low_usd, design.board.high_usd, usd)}`),
    line('capture', seconds(design.acquisition_s)),
    line('computing', `${seconds(design.latency_s)}${range(design.latency_low_s, design.latency_high_s, seconds)}, ${design.latency_evidence}`),
    line('effective, FAR 1 % / 10 %', `${seconds(design.effective_latency_far1_s)} / ${seconds(design.effective_latency_far10_s)}`,
      isKnown(design.effective_latency_far1_s) || isKnown(design.effective_latency_far10_s)),
    line('energy of computing', energyText(design), isKnown(design.energy_mj)),
    line('parameters', `${design.params.toLocaleString('en')}, ${bytes(design.weight_bytes)} in flash`),
    ...people(design)));
  const why = (DATA.why[design.id] || [standing(design)])
    .filter(Boolean).map((text) => make('p', { class: 'small why' }, text));
  return make('article', { class: 'card', style: `--slot: ${SLOT_COLORS[theme()][slot]}`, 'aria-label': `point ${SLOTS[slot]}`, 'data-id': design.id },
    heading, ...why, figures,
    make('h3', {}, 'Blocks'), blockDiagram(design), buildable(design),
    make('h3', {}, 'Memory, to scale'), ...memoryMap(design, compared),
    make('h3', {}, 'One attempt'), ...timeline(design, compared),
    make('h3', {}, 'Bill of materials'), ordered(design.board), bom(design.board),
    make('h3', {}, 'Firmware'), firmware(design));
}

// What to say of a design that the run's front does not hold.
function standing(design) {
  if (design.front) return '';
  return state.front.includes(design) ? 'On the front of what is shown now; another design of the whole run is at least as good in every objective.'
    : 'Dominated: another design is at least as good in every objective.';
}

function energyText(design) {
  const least = Math.min(...state.chosen.map((other) => other.energy_mj).filter(isKnown));
  return design.energy_mj > least ? `${energy(design.energy_mj)}, ${(design.energy_mj / least).toFixed(1)} times the least here` : energy(design.energy_mj);
}

function people(design) {
  const detail = DATA.details[design.id];
  return detail && detail.people ? [line('measured on', `${detail.people} people, ${detail.genuine} genuine and ${detail.impostor} impostor pairs`)] : [];
}

const buildable = (design) => (design.board.buildable ? null : make('p', { class: 'problem small' }, `Cannot be built: ${design.board.reason}`));

// Whether one person can order it, or it asks for a design.
const ordered = (board) => (board.order ? make('p', { class: 'small' }, board.order[0].toUpperCase() + board.order.slice(1)) : null);

function bom(board) {
  return make('table', {}, make('tbody', {},
    ...board.parts.map((part) => make('tr', {},
      make('td', { class: 'text' }, part.name, part.about ? make('div', { class: 'soft' }, part.about) : null, source(part.source)),
      make('td', {}, `${usd(part.usd)}`, make('div', { class: 'soft' }, isKnown(part.low_usd) && isKnown(part.high_usd) && usd(part.low_usd) !== usd(part.high_usd) ? `${usd(part.low_usd)} to ${usd(part.high_usd)}` : '')))),
    make('tr', {}, make('td', { class: 'text' }, make('b', {}, 'Sum')), make('td', {}, make('b', {}, usd(board.price_usd))))));
}

// Where a price comes from; only plain web addresses become links.
function source(text) {
  if (!text) return null;
  const element = make('div', { class: 'source' });
  text.split(/(https?:\/\/[^\s,;)<>"']+)/).forEach((piece, i) => {
    element.append(i % 2 ? make('a', { href: piece, rel: 'noopener noreferrer' }, piece) : piece);
  });
  return element;
}

function firmware(design) {
  const folder = DATA.firmware[design.id];
  if (!folder) return make('p', { class: 'soft small' }, 'Not emitted. Write it with ', make('code', {}, `python -m tinysearch emit run_dir=RUN id=${design.id} out=DIR`));
  const path = folder.split('/').map(encodeURIComponent).join('/');
  return make('div', { class: 'small' }, make('a', { href: `${path}/README.md` }, folder),
    make('ul', {}, ...(DATA.rungs[design.id] || []).map((rung) => make('li', { class: rung.status === 'failed' ? 'problem' : null }, `${rung.name}: ${rung.status}`))));
}

const curvesOf = (design) => (DATA.details[design.id] || {}).curves || {};

function addCurves() {
  if (!designs.some((design) => (curvesOf(design).far || []).length)) {
    document.getElementById('curves').replaceWith(make('p', { class: 'none' },
      DATA.rate === 'EER' ? 'Distance histograms and DET curves need networks that were trained here; the error rates of this run come from elsewhere.'
        : 'Distance histograms and DET curves are of networks that tell people apart; these tell classes.'));
    return;
  }
  const parent = document.getElementById('curves');
  addFigure(parent, { key: 'distances', title: 'Distances', note: 'solid: pairs of one person; dashed: of two people' }, drawDistances);
  addFigure(parent, { key: 'det', title: 'DET', note: 'FRR against FAR; on the dotted line both are equal' }, drawDet);
}

function drawDistances(element) {
  const traces = state.chosen.flatMap((design, slot) => ['genuine_histogram', 'impostor_histogram'].map((name, i) => ({
    type: 'scatter', mode: 'lines', name: SLOTS[slot], showlegend: !i, hovertemplate: `${SLOTS[slot]} ${i ? 'impostor' : 'genuine'}: %{y:.1f} % at %{x:.2f}<extra></extra>`, x: curvesOf(design).distance || [],
    y: (curvesOf(design)[name] || []).map((share) => share * 100),
    line: { shape: 'hvh', color: SLOT_COLORS[theme()][slot], dash: i ? 'dash' : 'solid', width: 2 },
  })));
  return Plotly.react(element, traces, layout({
    xaxis: { title: { text: 'distance of two embeddings' } }, yaxis: { title: { text: 'pairs (%)' }, rangemode: 'tozero' },
    legend: { orientation: 'h', x: 0, y: 1.1 },
  }), CONFIG);
}

function drawDet(element) {
  const floor = 1e-3;
  const traces = state.chosen.map((design, slot) => ({
    type: 'scatter', mode: 'lines', name: SLOTS[slot], x: (curvesOf(design).far || []).map((rate) => Math.max(rate, floor) * 100),
    y: (curvesOf(design).frr || []).map((rate) => Math.max(rate, floor) * 100),
    line: { color: SLOT_COLORS[theme()][slot], width: 2 },
    hovertemplate: `${SLOTS[slot]}: FAR %{x:.2f} %, FRR %{y:.2f} %<extra></extra>`,
  }));
  traces.push({ type: 'scatter', mode: 'lines', x: [floor * 100, 100], y: [floor * 100, 100], hoverinfo: 'skip', showlegend: false, line: { color: css('--soft'), dash: 'dot', width: 1 } });
  return Plotly.react(element, traces, layout({
    xaxis: { title: { text: 'FAR (%)' }, type: 'log', range: [-1, 2], dtick: 1, tickformat: '~r' }, yaxis: { title: { text: 'FRR (%)' }, type: 'log', range: [-1, 2], dtick: 1, tickformat: '~r' },
    legend: { orientation: 'h', x: 0, y: 1.1 },
  }), CONFIG);
}
