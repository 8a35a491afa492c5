// Zoom and search for a flame graph of qprof. The picture is complete without it.
(function () {
  'use strict';

  var SVG = 'http://www.w3.org/2000/svg';
  var XHTML = 'http://www.w3.org/1999/xhtml';
  var COLUMN = 7.25, PADDING = 7, FEWEST = 3, MARGIN = 10;
  var MATCH = '#ff7df6';

  var script = document.currentScript;
  var svg = script && script.closest ? script.closest('svg.qprof-flame') : null;
  if (!svg) return;
  var group = svg.querySelector('.qprof-frames');
  var data = JSON.parse(svg.querySelector('script[type="application/json"]').textContent);
  var frames = readFrames();
  if (!frames.length) return;

  var width = svg.viewBox.baseVal.width;
  var height = svg.viewBox.baseVal.height;
  var isAlone = document.documentElement === svg;
  var zoomed = frames[0];
  var matches = [];
  var current = -1;

  // Frames stand in the file parents first, so the parent of a frame is the last one before it
  // that has not ended where the frame starts.
  function readFrames() {
    var open = [];
    return Array.prototype.map.call(group.children, function (g, index) {
      var title = g.querySelector('title').textContent;
      var rects = g.querySelectorAll('rect');
      var frame = {
        g: g, rects: rects, text: g.querySelector('text'), index: index, title: title,
        name: title.split('\n', 1)[0], sign: g.getAttribute('data-sign') || '',
        merged: g.hasAttribute('data-merged'), fill: rects[0].getAttribute('fill'),
        x: Number(g.getAttribute('data-x')), w: Number(g.getAttribute('data-w')),
        y: Number(rects[0].getAttribute('y'))
      };
      frame.end = frame.x + frame.w;
      while (open.length && open[open.length - 1].end <= frame.x) open.pop();
      frame.parent = open.length ? open[open.length - 1] : null;
      frame.key = hash(frame.parent ? frame.parent.key : 0x811c9dc5, frame.name);
      open.push(frame);
      return frame;
    });
  }

  // FNV-1a over the path of names: a link to a frame survives a new recording.
  function hash(seed, name) {
    var h = seed;
    for (var i = 0; i < name.length; i++) h = Math.imul(h ^ name.charCodeAt(i), 0x01000193);
    return Math.imul(h ^ 10, 0x01000193) >>> 0;
  }

  function make(tag, attributes, parent) {
    var element = document.createElementNS(SVG, tag);
    for (var name in attributes) element.setAttribute(name, attributes[name]);
    parent.appendChild(element);
    return element;
  }

  // The longest form of a name that fits, as in LabelFit.swift.
  function fit(name, sign, room) {
    var columns = Math.floor((room - PADDING) / COLUMN) - sign.length;
    if (columns < FEWEST) return '';
    var all = forms(name);
    var whole = all.find(function (form) { return cut(form, columns) === form; });
    return sign + (whole || cut(all[all.length - 1], columns));
  }

  function forms(name) {
    if (name[0] === '[' || name.indexOf('operator') >= 0) return [name];
    var depth = 0, plain = '';
    for (var i = 0; i < name.length; i++) {
      var c = name[i];
      if (c === '<' || c === '(' || c === '[') depth++;
      else if (c === ')' || c === ']' || c === '>' && name[i - 1] !== '-') {
        if (--depth < 0) return [name];
      } else if (depth === 0) plain += c;
    }
    plain = plain.replace(/ ->.*$/, '').replace(/ const$/, '').replace(/^::/, '');
    if (depth > 0 || plain === '' || /::$/.test(plain)) return [name];
    var scope = plain.lastIndexOf('::');
    return scope < 0 ? [name, plain] : [name, plain, plain.slice(scope + 2)];
  }

  function cut(name, columns) {
    var letters = Array.from(name), used = 0, end = 0;
    for (var i = 0; i < letters.length; i++) {
      used += isWide(letters[i].codePointAt(0)) ? 2 : 1;
      if (used > columns) return letters.slice(0, end).join('') + '\u2026';
      if (used < columns) end = i + 1;
    }
    return name;
  }

  function isWide(c) {
    return c >= 0x1100 && (c <= 0x115f || c >= 0x2e80 && c <= 0xa4cf || c >= 0xac00 && c <= 0xd7a3 ||
      c >= 0xf900 && c <= 0xfaff || c >= 0xfe30 && c <= 0xfe6f || c >= 0xff00 && c <= 0xff60 ||
      c >= 0xffe0 && c <= 0xffe6 || c >= 0x1f300 && c <= 0x1faff || c >= 0x20000 && c <= 0x3fffd);
  }

  // Draws every frame from its integers: the zoomed one as wide as the picture, those below it
  // too, but faded.
  function draw() {
    var room = width - 2 * MARGIN;
    frames.forEach(function (frame) {
      var isBelow = frame.x <= zoomed.x && frame.end >= zoomed.end && frame.index < zoomed.index;
      var isShown = isBelow || frame.index >= zoomed.index && frame.x >= zoomed.x &&
        frame.end <= zoomed.end;
      var left = isBelow ? 0 : (frame.x - zoomed.x) / zoomed.w * room;
      var right = isBelow ? room : (frame.end - zoomed.x) / zoomed.w * room;
      show(frame.g, isShown && right - left >= 0.3);
      if (!isShown) return;
      frame.g.setAttribute('opacity', isBelow ? 0.5 : 1);
      frame.rects.forEach(function (rect) {
        rect.setAttribute('x', left);
        rect.setAttribute('width', right - left > 2 ? right - left - 0.6 : right - left);
      });
      label(frame, left, fit(frame.name, frame.sign, right - left));
    });
    show(reset, zoomed !== frames[0]);
  }

  function label(frame, left, text) {
    if (!text && !frame.text) return;
    if (!frame.text) frame.text = make('text', { y: frame.y + 12 }, frame.g);
    frame.text.setAttribute('x', left + 3.5);
    frame.text.textContent = text;
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

  // Colours the matches, and adds up their share: a stack counts once, however many of its frames
  // match. Merged frames are in the data by name; what they add is exact for one function, and
  // for several an upper bound.
  function search(term) {
    matches = [];
    current = -1;
    var pattern = compile(term);
    var names = new Set(), drawn = 0, counted = 0;
    frames.forEach(function (frame) {
      var isMatch = term !== '' && !frame.merged && pattern.test(frame.name);
      frame.rects[0].setAttribute('fill', isMatch ? MATCH : frame.fill);
      if (!isMatch) return;
      matches.push(frame);
      names.add(frame.name);
      if (frame.x < counted) return;
      drawn += frame.w;
      counted = frame.end;
    });
    var hidden = 0;
    data.hidden.forEach(function (entry) {
      if (term === '' || !pattern.test(entry[0])) return;
      names.add(entry[0]);
      hidden += entry[1];
    });
    var most = Math.min(data.total, drawn + hidden);
    say(term === '' ? '' : names.size === 0 ? 'no match' + pattern.remark :
      share(names.size === 1 ? most : drawn, most) + ' ' + data.whole + pattern.remark);
    remember();
  }

  // Ignores case unless the term has a capital. What is no regular expression is taken literally.
  function compile(term) {
    var flags = term === term.toLowerCase() ? 'i' : '', remark = '', expression;
    try {
      expression = new RegExp(term, flags);
    } catch (error) {
      expression = new RegExp(term.replace(/[\\^$.*+?()[\]{}|\/-]/g, '\\$&'), flags);
      remark = ' (bad regex: taken literally)';
    }
    return { test: function (name) { return expression.test(name); }, remark: remark };
  }

  function share(least, most) {
    var low = percent(least), high = percent(most);
    return low === high ? low + ' %' : low + '\u2013' + high + ' %';
  }

  function percent(weight) {
    var value = 100 * weight / data.total;
    return value > 0 && value < 0.01 ? '<0.01' : value.toFixed(value < 0.995 && value > 0 ? 2 : 1);
  }

  // Zooms to the parent of the next match, so that the match is seen among its siblings.
  function next() {
    if (!matches.length) return;
    current = (current + 1) % matches.length;
    zoom(matches[current].parent || matches[current]);
    matches[current].rects[0].setAttribute('fill', '#ffd400');
    var last = matches[(current + matches.length - 1) % matches.length];
    if (last !== matches[current]) last.rects[0].setAttribute('fill', MATCH);
    say((current + 1) + ' of ' + matches.length + ': ' + matches[current].name);
  }

  // The address holds zoom and term only where the picture is the whole document.
  function remember() {
    if (!isAlone) return;
    var parts = [];
    if (zoomed !== frames[0]) parts.push('z=' + zoomed.key.toString(16));
    if (input.value) parts.push('s=' + encodeURIComponent(input.value));
    try {
      history.replaceState(null, '', parts.length ? '#' + parts.join('&') : location.pathname +
        location.search);
    } catch (error) {
      // Not allowed here, as in some sandboxes: the picture works without.
    }
  }

  function recall() {
    if (!isAlone) return;
    try {
      location.hash.slice(1).split('&').forEach(function (part) {
        if (part.slice(0, 2) === 's=') input.value = decodeURIComponent(part.slice(2, 400));
        if (part.slice(0, 2) !== 'z=') return;
        var key = parseInt(part.slice(2), 16);
        zoomed = frames.find(function (frame) { return frame.key === key; }) || zoomed;
      });
    } catch (error) {
      // Not a link of ours.
    }
  }

  function say(text) { status.textContent = text; }

  function button(text, action) {
    var g = make('g', { cursor: 'pointer', role: 'button', 'class': 'qprof-reset' }, svg);
    make('rect', { x: 0, y: bar, width: 96, height: 22, rx: 4, fill: '#e8e8ee' }, g);
    make('text', { x: 48, y: bar + 15, 'text-anchor': 'middle' }, g).textContent = text;
    g.addEventListener('click', action);
    return g;
  }

  function field() {
    var holder = make('foreignObject', { y: bar - 1, width: 232, height: 26 }, svg);
    var box = document.createElementNS(XHTML, 'input');
    box.setAttribute('type', 'search');
    box.setAttribute('placeholder', 'search (/): name or regex');
    box.setAttribute('aria-label', 'search functions by name or regular expression');
    box.setAttribute('maxlength', '300');
    box.style.cssText = 'box-sizing:border-box;width:230px;height:24px;font:12px monospace;' +
      'border:1px solid #bbb;border-radius:4px;padding:2px 6px;background:#fff;color:#000';
    holder.appendChild(box);
    box.addEventListener('input', function () { search(box.value); });
    return box;
  }

  // Alone in a window the picture is as wide as the window.
  function resize() {
    if (isAlone) width = Math.max(600, document.documentElement.clientWidth || window.innerWidth);
    svg.setAttribute('width', width);
    svg.setAttribute('viewBox', '0 0 ' + width + ' ' + height);
    input.parentNode.setAttribute('x', width - 240);
    reset.setAttribute('transform', 'translate(' + (width - 346) + ')');
    status.setAttribute('x', width - 356);
    draw();
  }

  function frameOf(event) {
    var g = event.target.closest ? event.target.closest('.qprof-frames > g') : null;
    return g ? frames[Array.prototype.indexOf.call(group.children, g)] : null;
  }

  var bar = height - 28;
  var hint = make('text', { x: MARGIN, y: bar + 15, fill: '#555' }, svg);
  var status = make('text', { y: bar + 15, 'text-anchor': 'end', 'class': 'qprof-status' }, svg);
  var reset = button('reset zoom', function () { zoom(frames[0]); });
  var input = field();
  var HINT = 'click: zoom   /: search   Enter: next match   Esc: clear, zoom out';
  hint.textContent = HINT;

  group.addEventListener('click', function (event) {
    var frame = frameOf(event);
    if (frame && !frame.merged) zoom(frame);
  });
  group.addEventListener('mouseover', function (event) {
    var frame = frameOf(event);
    if (frame) hint.textContent = cut(frame.title.replace(/\n/g, '   '), Math.floor((width - 520) / COLUMN));
  });
  group.addEventListener('mouseout', function () { hint.textContent = HINT; });
  document.addEventListener('keydown', function (event) {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    if (event.key === 'Escape') {
      if (input.value) {
        input.value = '';
        search('');
      } else zoom(frames[0]);
      input.blur();
    } else if (event.key === 'Enter' && event.target === input) next();
    else if (event.key === '/' && event.target !== input && isAlone) {
      event.preventDefault();
      input.focus();
    }
  });
  window.addEventListener('resize', resize);

  recall();
  resize();
  if (input.value) search(input.value);
  if (isAlone) window.scrollTo(0, height);
})();
