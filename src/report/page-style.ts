/** The style of the status page. Its hash stands in the page's security policy. */
export const PAGE_STYLE = `
:root{color-scheme:light dark;--bg:#faf9f6;--panel:#fff;--ink:#1d1c1a;--dim:#635f57;--line:#e5e1d8;--soft:#f3f0e9;
--ok:#1a6b45;--work:#7d5000;--bad:#b3261e;--quiet:#635f57;--link:#1f4f9e;--bad-bg:#fdf1ef;--work-bg:#fdf6e6;
--mono:ui-monospace,"SF Mono","Cascadia Code","JetBrains Mono",Menlo,Consolas,"Liberation Mono",monospace}
@media (prefers-color-scheme:dark){:root{--bg:#141517;--panel:#1b1d20;--ink:#e9e7e2;--dim:#a9a69e;--line:#303338;--soft:#222529;
--ok:#74c99a;--work:#e3b45a;--bad:#ff948a;--quiet:#a9a69e;--link:#9dbdff;--bad-bg:#2a1d1d;--work-bg:#28231a}}
*{box-sizing:border-box}
html{-webkit-text-size-adjust:100%}
body{margin:0 auto;max-width:86rem;padding:0 1.5rem 3rem;background:var(--bg);color:var(--ink);
font:15px/1.5 system-ui,-apple-system,"Segoe UI",Roboto,"Helvetica Neue",Arial,sans-serif;font-variant-numeric:tabular-nums;overflow-wrap:anywhere}
p,h1,h2,h3,dl,dd,ul,ol,pre{margin:0}
ul{padding:0;list-style:none}
a{color:var(--link);text-underline-offset:.18em;text-decoration-thickness:1px}
:focus-visible{outline:2px solid var(--link);outline-offset:2px;border-radius:3px}
#results:focus{outline:none}
code,pre,.mono,.name,.ascii,.place{font-family:var(--mono);font-size:.87em}
pre code{font-size:1em}
.dim{color:var(--dim)}
b.work{color:var(--work)}
b{font-weight:600}
.hidden{position:absolute;width:1px;height:1px;overflow:hidden;clip-path:inset(50%);white-space:nowrap}
.skip{position:absolute;left:-99rem}
.skip:focus{left:1rem;top:.5rem;background:var(--panel);padding:.3rem .6rem;z-index:1}
.top{display:flex;flex-wrap:wrap;gap:.2rem 1rem;align-items:baseline;padding:1rem 0 .8rem;border-bottom:1px solid var(--line)}
.brand a{color:inherit;font-weight:650;letter-spacing:-.01em;text-decoration:none}
.brand a:hover{text-decoration:underline}
.live{margin-left:auto;font-size:.87em}
.stale{flex-basis:100%;color:var(--bad);font-weight:600}
h1{font-size:1.6rem;line-height:1.25;font-weight:600;letter-spacing:-.02em;margin:1.4rem 0 .45rem}
h1 .mark{font-size:.72em;vertical-align:.1em;margin-right:.1em}
h2{font-size:1.1rem;font-weight:600;letter-spacing:-.01em;margin:2rem 0 .6rem}
h2 .count{font-weight:400;color:var(--dim);margin-left:.2em}
h3{font-size:1rem;font-weight:600;line-height:1.4}
.plan .title{font-weight:600}
.mark{display:inline-block;width:1.05em;text-align:center;font-family:system-ui,sans-serif}
.ok.mark{color:var(--ok)}.work.mark{color:var(--work)}.bad.mark{color:var(--bad)}.quiet.mark{color:var(--quiet)}
td .ok.mark,.tiles .ok.mark,.conditions .ok.mark{color:var(--quiet)}
.figures{display:flex;flex-wrap:wrap;gap:.1rem 1.3rem;font-size:.87rem;margin-bottom:1.1rem}
.figures div{display:flex;gap:.4em}
.figures dt{color:var(--dim)}
.banner{border-left:3px solid var(--quiet);background:var(--soft);padding:.55rem .9rem;margin-bottom:.7rem;border-radius:0 5px 5px 0}
.banner.bad{border-color:var(--bad);background:var(--bad-bg)}
.banner.work{border-color:var(--work);background:var(--work-bg)}
.banner+nav{margin-top:1.1rem}
.faults{padding:.3rem 0 .1rem 1.1rem;list-style:disc}
.faults code{margin-right:.4rem}
summary{cursor:pointer}
.tiles{display:grid;grid-template-columns:repeat(4,minmax(0,1fr));gap:.7rem}
.tiles li>*{display:flex;flex-wrap:wrap;align-items:baseline;align-content:start;gap:0 1.2rem;height:100%;padding:.6rem .9rem .65rem;background:var(--panel);border:1px solid var(--line);border-radius:7px;color:var(--ink);text-decoration:none}
.tiles a:hover{border-color:var(--dim)}
.tiles .tone{flex-basis:100%;font-weight:550}
.tiles a.bad .tone{color:var(--bad)}.tiles a.work .tone{color:var(--work)}
.tiles a.bad{border-color:var(--bad)}.tiles a.work{border-color:var(--work)}
.tiles b{font-size:1.3rem;line-height:1.3;font-weight:550;letter-spacing:-.01em;color:var(--ink)}
.tiles .many{font-size:.87rem;color:var(--dim)}
.tiles .many.none b,.tiles .off b,.tiles .off,.tiles .off .mark{color:var(--dim)}
.tiles .off{background:none}
.tiles .off b,.tiles .none b{font-weight:400}
.tiles [aria-current]{background:var(--soft);box-shadow:inset 0 0 0 1px currentColor;border-color:currentColor}
.search{display:flex;flex-wrap:wrap;align-items:center;gap:.4rem .7rem;margin:1.1rem 0 0}
.search label{font-size:.87rem;color:var(--dim)}
.search input[type=search]{flex:0 1 24rem;min-width:0;font:inherit;font-family:var(--mono);font-size:.87rem;padding:.4rem .6rem;color:var(--ink);background:var(--panel);border:1px solid var(--dim);border-radius:5px}
.search ::placeholder{color:var(--dim);opacity:1}
button{font:inherit;font-size:.87rem;padding:.36rem .8rem;color:var(--ink);background:var(--soft);border:1px solid var(--line);border-radius:5px;cursor:pointer}
button:hover{border-color:var(--dim)}
.js .search button{display:none}
.chips{display:flex;flex-wrap:wrap;gap:.4rem .5rem;margin-top:.8rem;font-size:.93rem}
.chips a{display:inline-block;padding:.12rem .6rem;border:1px solid var(--dim);border-radius:5px;background:var(--panel);color:var(--ink);text-decoration:none}
.chips a:hover{border-color:var(--ink)}
.chips .all a{border-color:transparent;background:none;color:var(--link);text-decoration:underline}
.cause{background:var(--panel);border:1px solid var(--line);border-left:3px solid var(--work);border-radius:0 7px 7px 0;padding:.75rem 1rem .8rem;margin-bottom:.7rem}
.cause.bad{border-left-color:var(--bad)}
.cause header{display:flex;flex-wrap:wrap;gap:.05rem 1.5rem;justify-content:space-between;align-items:baseline}
.cause h3{flex:1 1 22rem}
.cause h3 .mark{margin-left:-.1em}
.cause .meta{font-size:.87rem;display:flex;flex-wrap:wrap;gap:0 .8rem;align-items:baseline}
.cause .meta code{font-size:1em;color:var(--dim)}
.cause .meta a{font-weight:550}
.said,.planned,.cause .cure,.cause .rest{margin-top:.4rem;max-width:62rem}
.said>li+li{margin-top:.5rem}
.message .app{font-weight:550;margin-right:.35em}
.message .at{margin-right:.35em}
.cure{color:var(--ink)}
.cure::before{content:"→ ";content:"→ " / "";color:var(--dim)}
.who{display:flex;flex-wrap:wrap;gap:.05rem 1.1rem;font-size:.93rem;margin-top:.1rem}
.plan{border:1px solid var(--line);border-radius:6px;padding:.85rem 1rem;background:var(--bg);margin-top:.4rem;max-width:62rem}
.plan>*+*{margin-top:.5rem}
.diff{max-height:24rem;overflow:auto;padding:.5rem .8rem;background:var(--panel);border:1px solid var(--line);border-radius:5px;line-height:1.55;white-space:pre-wrap}
.diff span{display:block}
.plus{color:var(--ok)}.minus{color:var(--bad)}.same{color:var(--dim)}
.command{display:flex;gap:.5rem;align-items:stretch;flex-wrap:wrap}
.command pre{flex:0 1 auto;min-width:0;padding:.42rem .8rem;background:var(--panel);border:1px solid var(--line);border-radius:5px;white-space:pre-wrap}
#app h2{margin-bottom:.1rem}
.verdict{font-weight:550;margin-bottom:.7rem}
.conditions{border-top:1px solid var(--line);margin-top:.9rem}
.conditions li{display:grid;grid-template-columns:13.5rem minmax(0,1fr);gap:0 1rem;padding:.45rem 0;border-bottom:1px solid var(--line)}
.conditions .dim{font-size:.87rem}
.conditions .cure{margin-top:.1rem}
.facts{display:flex;flex-wrap:wrap;gap:.6rem 1.8rem;margin-top:.9rem}
.facts dt{color:var(--dim);font-size:.8rem}
.facts dd{font-weight:500}
.list{table-layout:fixed;width:100%;border-collapse:separate;border-spacing:0;background:var(--panel);border:1px solid var(--line);border-radius:7px;font-size:.93rem}
.list th,.list td{text-align:left;vertical-align:top;font-weight:400;padding:.5rem .9rem;border-bottom:1px solid var(--line)}
.list thead th{font-size:.8rem;color:var(--dim);padding-block:.4rem .35rem}
.list tbody tr:last-child>*{border-bottom:0}
.list tbody tr:hover{background:var(--soft)}
.list .label{display:none}
.list .state,.list .when,.list .dns{font-size:.93em}
.hosts thead th:nth-child(1){width:28%}.hosts thead th:nth-child(2){width:7.3rem}.hosts thead th:nth-child(3){width:15%}.hosts thead th:nth-child(4){width:9.6rem}.hosts thead th:nth-child(6){width:6.8rem}
.apps thead th:nth-child(2){width:9.5rem}.apps thead th:nth-child(3){width:19%}.apps thead th:nth-child(4){width:25%}.apps thead th:nth-child(5){width:8.5rem}
th .app{font-weight:550}
.name{font-size:.93em}
.ascii{display:block;font-size:.84em;color:var(--dim)}
.origin .place{display:inline-block}
.origin{display:block;font-size:.87em;color:var(--dim)}
.why{display:block;font-size:.87rem;line-height:1.45;color:var(--dim)}
.why b{font-weight:550;color:var(--ink)}
.why .also{display:inline}
.dns .mono{display:block;color:var(--dim);font-size:.84em}
.pager{display:flex;flex-wrap:wrap;gap:.3rem 1.2rem;margin-top:.6rem;font-size:.93rem}
.pager .off,.pager span{color:var(--dim)}
.none{color:var(--dim)}
.empty{background:var(--panel);border:1px solid var(--line);border-radius:7px;padding:1.2rem 1.4rem;margin-top:1.2rem}
.empty h2{margin-top:0}
.empty ol{margin:.9rem 0 0;padding-left:1.2rem}
.empty li{margin-bottom:.9rem}
.empty pre{margin-top:.35rem;padding:.5rem .8rem;background:var(--soft);border-radius:5px;white-space:pre-wrap}
footer{margin-top:2.4rem;padding-top:.8rem;border-top:1px solid var(--line);font-size:.87rem}
@media (max-width:56rem){
body{padding:0 .9rem 2rem}
h1{font-size:1.35rem;margin:1.1rem 0 .4rem}
.tiles{grid-template-columns:repeat(2,minmax(0,1fr));gap:.5rem}
.search label{flex-basis:100%}
.search input[type=search]{flex:1 1 10rem;font-size:16px}
.conditions li{grid-template-columns:minmax(0,1fr)}
.list thead{position:absolute;width:1px;height:1px;overflow:hidden;clip-path:inset(50%)}
.list,.list tbody{display:block}
.list tr{display:grid;grid-template-columns:minmax(0,1fr) auto;gap:.1rem .9rem;padding:.6rem .9rem;border-bottom:1px solid var(--line)}
.list tbody tr:last-child{border-bottom:0}
.list tbody th,.list td{padding:0;border:0;width:auto}
.list td:nth-child(n+3){grid-column:1/-1;font-size:.87rem}
.list td:empty{display:none}
.list .label{display:inline;color:var(--dim)}
.list .label::after{content:" "}
.list .dns .mono,.list .origin{display:inline}
}
@media (max-width:30rem){
.tiles li>*{padding:.45rem .7rem .5rem;gap:0 .8rem}
.tiles b{font-size:1.1rem}
.cause{padding:.65rem .75rem .7rem}
.plan{padding:.65rem .75rem}
}
@media (prefers-reduced-motion:no-preference){.fresh::before{content:"";display:inline-block;width:.5em;height:.5em;margin-right:.45em;border-radius:50%;background:var(--ok);vertical-align:.08em}
.js .fresh::before{animation:pulse 2s ease-in-out infinite}
@keyframes pulse{50%{opacity:.35}}}
.old .fresh::before{background:var(--bad);animation:none}
@media print{.search,footer,.command button{display:none}}
`
