// Pictures of one design, in SVG: blocks, memories to scale, one attempt on the cores.

const BUFFER_COLORS = ['--buffer-1', '--buffer-2', '--buffer-3', '--buffer-4'];

const svg = (tag, attributes, ...children) => make(`svg:${tag}`, attributes, ...children);
const label = (x, y, text, attributes) => svg('text', { x, y, ...attributes }, text);

// A text in lines of at most so many letters: broken between words, and within those that no line holds.
function wrapped(text, letters) {
  const pieces = text.split(' ').flatMap((word) => word.match(new RegExp(`.{1,${letters}}`, 'gu')) || []);
  return pieces.reduce((lines, piece) => {
    const longer = lines.length ? `${lines.at(-1)} ${piece}` : piece;
    return longer.length <= letters && lines.length ? [...lines.slice(0, -1), longer] : [...lines, piece];
  }, []);
}

const LINE = 14; // from one line of text to the next

// The lines of a block this wide: a name, then what else there is to say.
const linesOf = (texts, width) => texts.flatMap((text, i) => wrapped(text, Math.floor((width - 6) / 6.9)).map((line) => ({ line, soft: i > 0 })));
const heightOf = (lines) => Math.max(40, lines.length * LINE + 12);

function block(x, y, width, height, lines) {
  const group = svg('g', {}, svg('rect', { class: 'box', x, y, width, height, rx: 5 }));
  const first = y + height / 2 - ((lines.length - 1) * LINE) / 2 + 4;
  lines.forEach(({ line, soft }, i) => group.append(label(x + width / 2, first + i * LINE, line, {
    'text-anchor': 'middle', class: soft ? 'soft' : null, 'font-weight': soft ? null : 600,
  })));
  return group;
}

const wire = (x1, y1, x2, y2) => svg('path', { class: 'wire', d: `M${x1} ${y1}L${x2} ${y2}`, 'stroke-width': 1.5 });

function blockDiagram(design) {
  const board = design.board;
  const [left, middle, gap] = [106, 140, 16];
  // A sensor and its network stand in a row, which is as high as the longer of their texts.
  let below = 36;
  const rows = design.branches.map((branch, i) => {
    const sensor = linesOf(design.reads[i] || [branch.modality], left);
    const network = linesOf([`${branch.modality} ${branch.layout}`, `${branch.precision}, ${seconds(design.branch_latency_s[i])}`], middle);
    const row = { y: below, height: Math.max(heightOf(sensor), heightOf(network)), sensor, network };
    below += row.height + gap;
    return row;
  });
  const notes = [];
  if (board.cores > design.branches.length) notes.push(design.shared ? 'heavy layers on both cores' : 'the second core is free');
  if (design.branches.length > 1) notes.push(design.first ? `${design.first} first, the other if unsure` : 'scores added');
  const said = notes.flatMap((note) => wrapped(note, 26));
  const height = Math.max(below + said.length * LINE, 36 + 2 * (40 + gap)) + 12;
  const picture = svg('svg', { viewBox: `0 0 400 ${height}`, role: 'img', 'aria-label': `block diagram of ${board.name}` });
  picture.append(svg('rect', { class: 'box', x: 126, y: 8, width: 156, height: height - 16, rx: 7 }));
  picture.append(label(204, 26, `${board.processor}, ${board.cores} core${board.cores > 1 ? 's' : ''}`, { 'text-anchor': 'middle', 'font-weight': 600 }));
  rows.forEach((row) => {
    picture.append(wire(2 + left, row.y + row.height / 2, 134, row.y + row.height / 2));
    picture.append(block(2, row.y, left, row.height, row.sensor), block(134, row.y, middle, row.height, row.network));
  });
  said.forEach((line, i) => picture.append(label(204, below + 10 + i * LINE, line, { 'text-anchor': 'middle', class: 'soft' })));
  [['flash', board.flash_bytes], ['PSRAM', board.psram_bytes]].forEach(([name, size], i) => {
    const y = 36 + i * (40 + gap);
    if (size) picture.append(wire(282, y + 20, 308, y + 20));
    picture.append(block(308, y, 90, 40, linesOf([name, size ? bytes(size) : 'none'], 90)));
  });
  return picture;
}

function bar(segments, total, scale, width) {
  const picture = svg('svg', { viewBox: `0 0 ${width} 30`, role: 'img', 'aria-label': segments.map((s) => `${s.name} ${bytes(s.bytes)}`).join(', ') });
  const place = (size) => (size / scale) * width;
  let at = 0;
  segments.forEach((segment) => {
    const rect = svg('rect', { x: at, y: 3, width: Math.max(place(segment.bytes), 0.5), height: 24, style: `fill: var(${segment.color})` });
    rect.append(svg('title', {}, `${segment.name}: ${bytes(segment.bytes)}`));
    picture.append(rect);
    at += place(segment.bytes);
  });
  picture.append(svg('rect', { x: 0.5, y: 3, width: Math.max(place(total) - 1, 1), height: 24, style: 'fill: none; stroke: var(--ink)' }));
  return picture;
}

const key = (segments) => make('ul', { class: 'key' }, ...segments.map((segment) => make('li', {},
  make('i', { style: `background: var(${segment.color})` }), `${segment.name.replace(/_/g, ' ')} ${bytes(segment.bytes)}`)));

function flashSegments(design) {
  const flash = (DATA.details[design.id] || {}).flash || {};
  if (!flash.total_bytes) return null;
  const rounding = flash.app_bytes - flash.program_bytes - flash.weight_bytes;
  return [
    { name: 'boot and tables', bytes: flash.total_bytes - flash.app_bytes, color: '--flash-system' },
    { name: 'program', bytes: flash.program_bytes, color: '--flash-program' },
    { name: 'weights', bytes: flash.weight_bytes, color: '--flash-weights' },
    { name: 'alignment', bytes: Math.max(rounding, 0), color: '--flash-system' },
    { name: 'free', bytes: Math.max(design.board.flash_bytes - flash.total_bytes, 0), color: '--flash-free' },
  ];
}

function bufferSegments(design, inSram) {
  const buffers = (DATA.details[design.id] || {}).buffers || [];
  return buffers.map((buffer, i) => ({ name: buffer.name, bytes: buffer.bytes, color: BUFFER_COLORS[i % BUFFER_COLORS.length], sram: buffer.sram }))
    .filter((segment) => segment.sram === inSram);
}

const free = (size, used) => ({ name: 'free', bytes: Math.max(used.reduce((left, segment) => left - segment.bytes, size), 0), color: '--flash-free' });

const heapOf = (design) => (DATA.processors[design.board.processor] || {}).heap_bytes || 0;

// Bars of compared designs share one scale a kind of memory, so that lengths can be compared.
function memoryMap(design, compared) {
  const parts = [];
  const widest = (size) => Math.max(...compared.map(size), 1);
  const flash = flashSegments(design);
  if (flash) {
    parts.push(make('div', { class: 'small' }, `Flash, ${bytes(design.board.flash_bytes)}`),
      bar(flash.slice(0, 4), design.board.flash_bytes, widest((d) => d.board.flash_bytes), 400), key(flash));
  }
  const [sram, psram] = [bufferSegments(design, true), bufferSegments(design, false)];
  const heap = Math.max(heapOf(design), sram.reduce((sum, s) => sum + s.bytes, 0));
  if (heap) {
    parts.push(make('div', { class: 'small' }, `SRAM heap, ${bytes(heap)}`), bar(sram, heap, widest(heapOf), 400), key([...sram, free(heap, sram)]));
  }
  if (design.board.psram_bytes) {
    parts.push(make('div', { class: 'small' }, `PSRAM, ${bytes(design.board.psram_bytes)}`),
      bar(psram, design.board.psram_bytes, widest((d) => d.board.psram_bytes), 400), key([...psram, free(design.board.psram_bytes, psram)]));
  }
  return parts.length ? parts : [make('p', { class: 'soft small' }, `Needs ${bytes(design.flash_bytes)} of flash and ${bytes(design.ram_bytes)} of RAM.`)];
}

function timeline(design, compared) {
  const span = Math.max(...compared.map((d) => d.acquisition_s + d.latency_s), 1e-9);
  const width = 400;
  const cores = Math.max(design.board.cores, 1);
  const parallel = design.branches.length > 1 && cores > 1 && !design.first;
  const rows = parallel || design.shared ? 2 : 1;
  // Branches one after the other: in a cascade the one that decides alone where it is sure, then the other.
  const turns = design.branches.map((branch, i) => [branch, i]).sort(([a], [b]) => (b.modality === design.first) - (a.modality === design.first));
  const picture = svg('svg', { viewBox: `0 0 ${width} ${rows * 26 + 26}`, role: 'img', 'aria-label': `one attempt: capture ${seconds(design.acquisition_s)}, computing ${seconds(design.latency_s)}` });
  const left = 46;
  const place = (time) => left + (time / span) * (width - left - 4);
  const piece = (row, from, length, color, text) => {
    const rect = svg('rect', { x: place(from), y: row * 26 + 2, width: Math.max(place(from + length) - place(from), 0.8), height: 20, style: `fill: var(${color})` });
    rect.append(svg('title', {}, `${text}: ${seconds(length)}`));
    picture.append(rect);
  };
  for (let row = 0; row < rows; row += 1) {
    picture.append(label(0, row * 26 + 16, `core ${row}`, { class: 'soft' }));
    if (row === 0 || parallel) piece(row, 0, design.acquisition_s, '--flash-system', 'capture');
  }
  // On two cores the longest branch has one for itself, all others take turns on the other.
  const longest = design.branch_latency_s.indexOf(Math.max(...design.branch_latency_s));
  const ends = [design.acquisition_s, design.acquisition_s];
  turns.forEach(([branch, i]) => {
    const length = design.branch_latency_s[i];
    if (!isKnown(length)) return;
    const row = parallel && (i === longest) === (longest > 0) ? 1 : 0;
    piece(row, ends[row], length, BUFFER_COLORS[i], branch.modality);
    if (design.shared) piece(1, ends[row], length, BUFFER_COLORS[i], `${branch.modality}, its heavy layers`);
    ends[row] += length;
  });
  const [end, last] = [design.acquisition_s + design.latency_s, Math.max(...ends)];
  if (parallel && end - last > 1e-6) piece(ends.indexOf(last), last, end - last, '--line', 'waiting for shared memory');
  picture.append(wire(left, rows * 26, width - 4, rows * 26));
  picture.append(label(left, rows * 26 + 16, '0', { class: 'soft' }));
  picture.append(label(width - 4, rows * 26 + 16, seconds(span), { class: 'soft', 'text-anchor': 'end' }));
  const pieces = [{ name: `capture ${seconds(design.acquisition_s)}`, color: '--flash-system' }].concat(
    turns.map(([branch, i], turn) => ({
      name: `${branch.modality} ${seconds(design.branch_latency_s[i])}${design.first && turn ? ' if unsure' : ''}`, color: BUFFER_COLORS[i],
    })));
  return [picture, make('ul', { class: 'key' }, ...pieces.map((p) => make('li', {}, make('i', { style: `background: var(${p.color})` }), p.name)))];
}
