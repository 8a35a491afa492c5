// Zoom and search for a flame graph of qprof. The picture is complete without it.
(function () {
  'use strict';

  var COLUMN = 7.25, PADDING = 7, FEWEST = 3, MARGIN = 10;  // as in LabelFit and the options
  var MATCH = '#ff7df6', CURRENT = '#ffd400';
  // East Asian letters and emoji: two columns.
  var WIDE = /[\u1100-\u115f\u2e80-\ud7a3\uf900-\ufaff\ufe30-\ufe6f\uff00-\uff60\u{1f300}-\u{1faff}\u{20000}-\u{3fffd}]/u;
  var HINT = 'click: zoom in · /: search · Enter: next match · Esc: clear, then zoom out';

  var script = document.currentScript;
  var svg = script && script.closest('svg.qprof-flame');
  if (!svg) return;
  var group = svg.querySelector('.qprof-frames');
  var data = JSON.parse(svg.querySelector('script[type="application/json"]').textContent);
  var frameOf = new Map();
  var frames = readFrames();
  if (!frames.length) return;

  var width = svg.viewBox.baseVal.width;
  var height = svg.viewBox.baseVal.height;
  var isAlone = document.documentElement === svg;
  var zoomed = frames[0];
  var matches = [];
  var current = -1;

  var hint = make('text', { x: MARGIN, y: height - 36, fill: '#555' }, svg);
  var input = field();
  var status = make('text', { x: 252, y: height - 11, 'class': 'qprof-status' }, svg);
  var reset = button();
  listen();
  recall();
  resize();
  if (input.value) search(input.value);
  if (isAlone && frames[0].rects[0].y.baseVal.value > height / 2) window.scrollTo(0, height);

  // Frames stand in the file parents first, so the parent of a frame is the last one before it
  // that has not ended where the frame starts.
  function readFrames() {
    var open = [];
    return Array.from(group.children, function (g, index) {
      var title = g.querySelector('title').textContent;
      var rects = g.querySelectorAll('rect');
      var x = Number(g.getAttribute('data-x'));
      while (open.length && open[open.length - 1].end <= x) open.pop();
      var frame = {
        g: g, rects: rects, text: g.querySelector('text'), index: index, title: title,
        name: title.split('\n', 1)[0], sign: g.getAttribute('data-sign') || '',
        merged: g.hasAttribute('data-merged'), fill: rects[0].getAttribute('fill'),
        x: x, end: x + Number(g.getAttribute('data-w')), parent: open[open.length - 1] || null
      };
      frame.key = hash(frame.parent ? frame.parent.key : 0x811c9dc5, frame.name);
      open.push(frame);
      frameOf.set(g, frame);
      return frame;
    });
  }

  // FNV-1a over the path of names, so that a link survives a new recording.
  function hash(seed, name) {
    var h = seed;
    for (var i = 0; i < name.length; i++) h = Math.imul(h ^ name.charCodeAt(i), 0x01000193);
    return Math.imul(h ^ 10, 0x01000193) >>> 0;
  }

  // ---- drawing

  // Draws every frame from its integers: the zoomed one as wide as the picture, those below it
  // too, but faded.
  function draw() {
    var room = width - 2 * MARGIN, scale = room / (zoomed.end - zoomed.x);
    frames.forEach(function (frame) {
      var isBelow = frame.index < zoomed.index && frame.x <= zoomed.x && frame.end >= zoomed.end;
      var isAbove = frame.index >= zoomed.index && frame.x >= zoomed.x && frame.end <= zoomed.end;
      var left = isBelow ? 0 : (frame.x - zoomed.x) * scale;
      var wide = isBelow ? room : (frame.end - frame.x) * scale;
      show(frame.g, isBelow || isAbove && wide >= 0.3);
      if (!isBelow && !isAbove) return;
      frame.rects.forEach(function (rect) {
        rect.setAttribute('fill-opacity', isBelow ? 0.45 : 1);
        rect.setAttribute('x', left);
        rect.setAttribute('width', wide > 2 ? wide - 0.6 : wide);
      });
      label(frame, left, fit(frame.name, frame.sign, wide));
    });
    show(reset, zoomed !== frames[0]);
  }

  function label(frame, left, text) {
    if (!text && !frame.text) return;
    if (!frame.text) {
      var top = Number(frame.rects[0].getAttribute('y'));
      frame.text = make('text', { y: top + 12 }, frame.g);
    }
    frame.text.setAttribute('x', left + PADDING / 2);
    frame.text.textContent = text;
  }

  // The longest form that fits, as in LabelFit.swift.
  function fit(name, sign, room) {
    var columns = Math.floor((room - PADDING) / COLUMN) - sign.length;
    if (columns < FEWEST) return '';
    var all = forms(name);
    var whole = all.find(function (form) { return cut(form, columns) === form; });
    return sign + (whole || cut(all[all.length - 1], columns));
  }

  function forms(name) {
    if (name[0] === '[' || /\boperator\b/.test(name)) return [name];
    var depth = 0, plain = '';
    for (var i = 0; i < name.length; i++) {
      var c = name[i];
      if (c === '<' || c === '(' || c === '[') depth++;
      else if (c === ')' || c === ']' || c === '>' && name[i - 1] !== '-') {
        if (--depth < 0) return [name];
      } else if (depth === 0) plain += c;
    }
    plain = plain.replace(/ ->.*$/, '').replace(/ const$/, '').replace(/(::)+/g, '::')
      .replace(/^::/, '').replace(/^ +| +$/g, '');
    if (depth > 0 || plain === '' || /::$/.test(plain)) return [name];
    var scope = plain.lastIndexOf('::');
    if (scope < 0) return [name, plain];
    plain = plain.slice(plain.lastIndexOf(' ', scope) + 1);
    return [name, plain, plain.slice(plain.lastIndexOf('::') + 2)];
  }

  function cut(name, columns) {
    var letters = Array.from(name), used = 0, end = 0;
    for (var i = 0; i < letters.length; i++) {
      used += WIDE.test(letters[i]) ? 2 : 1;
      if (used > columns) return letters.slice(0, end).join('') + '\u2026';
      if (used < columns) end = i + 1;
    }
    return name;
  }

  function show(element, isShown) {
    if (isShown) element.removeAttribute('display');
    else element.setAttribute('display', 'none');
  }

  function zoom(frame) {
    zoomed = frame;
    draw();
    remember();
  }

  // Alone, the picture is as wide as its window.
  function resize() {
    if (isAlone) width = Math.max(600, document.documentElement.clientWidth || window.innerWidth);
    svg.setAttribute('width', width);
    svg.setAttribute('viewBox', '0 0 ' + width + ' ' + height);
    reset.setAttribute('transform', 'translate(' + (width - MARGIN - 96) + ')');
    draw();
  }

  // ---- searching

  // Colours the matches and adds up their share, each stack once. Frames that are not drawn are
  // in the data by name: what they add is exact for one function, for several an upper bound.
  function search(term) {
    var pattern = compile(term), names = new Set();
    var drawn = 0, counted = 0, hidden = 0, unseen = 0;
    matches = [];
    current = -1;
    frames.forEach(function (frame) {
      var isMatch = term !== '' && !frame.merged && pattern.test(frame.name);
      frame.rects[0].setAttribute('fill', isMatch ? MATCH : frame.fill);
      if (frame.merged && frame.x >= counted) unseen += frame.end - frame.x;
      if (!isMatch) return;
      matches.push(frame);
      names.add(frame.name);
      if (frame.x < counted) return;
      drawn += frame.end - frame.x;
      counted = frame.end;
    });
    data.hidden.forEach(function (entry) {
      if (term === '' || !pattern.test(entry[0])) return;
      names.add(entry[0]);
      hidden += entry[1];
    });
    var most = drawn + Math.min(hidden, unseen);
    var found = names.size ? share(names.size === 1 ? most : drawn, most) : 'no match';
    say(term === '' ? '' : found + (pattern.remark || ''));
    remember();
  }

  // Ignores case unless the term has a capital. What is no regular expression is taken literally.
  function compile(term) {
    var flags = term === term.toLowerCase() ? 'i' : '';
    try {
      return new RegExp(term, flags);
    } catch (error) {
      var literal = new RegExp(term.replace(/[\\^$.*+?()[\]{}|]/g, '\\$&'), flags);
      literal.remark = ' (bad regex: taken literally)';
      return literal;
    }
  }

  function share(least, most) {
    var low = percent(least), high = percent(most);
    return (low === high ? low : low + '\u2013' + high) + ' % ' + data.whole;
  }

  function percent(weight) {
    var value = 100 * weight / data.total;
    return value > 0 && value < 0.01 ? '<0.01' : value.toFixed(value < 0.995 && value > 0 ? 2 : 1);
  }

  // Zooms to the parent of the next match: it is seen among its siblings.
  function next() {
    if (!matches.length) return;
    if (current >= 0) matches[current].rects[0].setAttribute('fill', MATCH);
    current = (current + 1) % matches.length;
    var match = matches[current];
    match.rects[0].setAttribute('fill', CURRENT);
    zoom(match.parent || match);
    say((current + 1) + ' of ' + matches.length + ': ' + match.name);
  }

  function say(text) { status.textContent = cut(text, Math.floor((width - 370) / COLUMN)); }

  // ---- zoom and term in the address

  function remember() {
    if (!isAlone) return;
    var parts = [];
    if (zoomed !== frames[0]) parts.push('z=' + zoomed.key.toString(16));
    if (input.value) parts.push('s=' + encodeURIComponent(input.value));
    try {
      history.replaceState(null, '', '#' + parts.join('&'));
    } catch (error) {
      // Not allowed in some sandboxes.
    }
  }

  function recall() {
    if (!isAlone) return;
    try {
      location.hash.slice(1).split('&').forEach(function (part) {
        var value = decodeURIComponent(part.slice(2)).slice(0, 300);
        if (part.slice(0, 2) === 's=') input.value = value;
        if (part.slice(0, 2) !== 'z=') return;
        var key = parseInt(value, 16);
        zoomed = frames.find(function (frame) { return frame.key === key; }) || zoomed;
      });
    } catch (error) {
      // Not a link of ours.
    }
  }

  // ---- controls

  function make(tag, attributes, parent) {
    var element = document.createElementNS('http://www.w3.org/2000/svg', tag);
    for (var name in attributes) element.setAttribute(name, attributes[name]);
    parent.appendChild(element);
    return element;
  }

  function button() {
    var g = make('g', { cursor: 'pointer', 'class': 'qprof-reset' }, svg);
    make('rect', { y: height - 27, width: 96, height: 24, rx: 4, fill: '#e8e8ee' }, g);
    make('text', { x: 48, y: height - 11, 'text-anchor': 'middle' }, g).textContent = 'reset zoom';
    g.addEventListener('click', function () { zoom(frames[0]); });
    return g;
  }

  function field() {
    var place = { x: MARGIN, y: height - 27, width: 232, height: 26 };
    var box = document.createElementNS('http://www.w3.org/1999/xhtml', 'input');
    box.setAttribute('type', 'search');
    box.setAttribute('placeholder', 'search: name or regex');
    box.setAttribute('maxlength', '300');
    box.style.cssText = 'box-sizing:border-box;width:230px;height:24px;font:12px monospace;' +
      'border:1px solid #bbb;border-radius:4px;padding:2px 6px';
    make('foreignObject', place, svg).appendChild(box);
    return box;
  }

  function listen() {
    function under(event) { return frameOf.get(event.target.closest('.qprof-frames > g')); }
    hint.textContent = HINT;
    group.addEventListener('click', function (event) {
      var frame = under(event);
      if (frame && !frame.merged) zoom(frame);
    });
    group.addEventListener('mouseover', function (event) {
      var frame = under(event);
      if (frame) hint.textContent = summary(frame, Math.floor((width - 2 * MARGIN) / COLUMN));
    });
    group.addEventListener('mouseout', function () { hint.textContent = HINT; });
    input.addEventListener('input', function () { search(input.value); });
    document.addEventListener('keydown', key);
    window.addEventListener('resize', resize);
  }

  // The tooltip in one line. A long name gives way to the facts.
  function summary(frame, columns) {
    var facts = frame.title.split('\n').slice(1).join(' · ');
    return cut(cut(frame.name, Math.max(40, columns - facts.length - 3)) + ' · ' + facts, columns);
  }

  function key(event) {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    if (event.key === 'Escape') {
      if (input.value) {
        input.value = '';
        search('');
      } else zoom(frames[0]);
    } else if (event.key === 'Enter' && event.target === input) next();
    else if (event.key === '/' && event.target !== input && isAlone) {
      event.preventDefault();
      input.focus();
    }
  }
})();
