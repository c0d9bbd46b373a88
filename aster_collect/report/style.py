"""The page's CSS: light and dark, for wide screens and phones, and for print. It loads nothing."""

CSS = """
:root{color-scheme:light dark;--bg:#fff;--fg:#1b1f23;--dim:#57606a;--edge:#818a94;--faint:#d8dee4;--soft:#f4f6f8;
--link:#0550ae;--a:#0072b2;--b:#c24e00;--band:#0072b233;--have:#d3dfe8;--warn:#b3261e;
--c0:#cc5800;--c1:#0072b2;--c2:#b5478a;--c3:#00805c;--c4:#1b1f23}
@media(prefers-color-scheme:dark){:root{--bg:#14181c;--fg:#e6e9ec;--dim:#a3adb8;--edge:#76828e;--faint:#343c44;
--soft:#1c2228;--link:#79b8ff;--a:#56b4e9;--b:#ff9a4d;--band:#56b4e940;--have:#3a4a58;--warn:#ff8a80;
--c0:#ff7f24;--c1:#6ec3f5;--c2:#f08ac6;--c3:#3fd1a0;--c4:#f5f7f9}}
*{box-sizing:border-box}
body{margin:0 auto;padding:0 16px 48px;max-width:1180px;background:var(--bg);color:var(--fg);
font:15px/1.5 system-ui,-apple-system,"Segoe UI","Noto Sans","Noto Sans CJK SC",sans-serif}
h1{font-size:1.6em;line-height:1.25;margin:24px 0 4px;overflow-wrap:anywhere}h2{font-size:1.25em;margin:40px 0 8px}
h3{font-size:1em;margin:16px 0 2px}p{margin:6px 0;max-width:75ch}a{color:var(--link)}code{font-size:.95em}
:focus-visible{outline:3px solid var(--link);outline-offset:2px}
.jump{position:absolute;left:-999em}.jump:focus{left:16px;top:8px;background:var(--bg);padding:4px 8px}
.facts{display:flex;flex-wrap:wrap;gap:4px 28px;margin:12px 0;padding:0}.facts div{min-width:90px}
.facts dt{color:var(--dim);font-size:.85em}.facts dd{margin:0;font-weight:600}
.keys{display:flex;flex-wrap:wrap;gap:4px 18px;padding:0;margin:8px 0;list-style:none;font-size:.87em}
.keys svg{width:26px;height:14px;vertical-align:-2px;margin-right:6px;border:1px solid var(--edge)}
.c0{fill:var(--c0)}.c1{fill:var(--c1)}.c2{fill:var(--c2)}.c3{fill:var(--c3)}.c4{fill:var(--c4)}
.o{stroke:var(--bg);stroke-width:2.6;fill:none}.d{fill:var(--bg)}.h{fill:var(--have)}
.s0{position:absolute;width:0;height:0}
.i{display:grid;grid-template-columns:104px minmax(0,1fr) 64px;gap:0 10px;align-items:center;font-size:.87em}
.i b{text-align:right;font-weight:500;font-variant-numeric:tabular-nums}
.t{display:block;width:100%;height:17px;margin:2px 0;background:var(--soft);border:1px solid var(--edge)}
.i .x{grid-column:2}
.x{position:relative;height:18px;font-size:12px;color:var(--dim);grid-column:2}
.x span{position:absolute;top:0;white-space:nowrap;padding-top:2px}
.x span::before{content:"";position:absolute;top:0;left:50%;height:4px;border-left:1px solid var(--edge)}
.x .m{transform:translateX(-50%)}.x .z{transform:translateX(-100%)}.x .a::before{left:0}.x .z::before{left:100%}
figure{margin:18px 0 22px;padding:0}figcaption{margin-bottom:6px;line-height:1.4}
figcaption small{display:block;color:var(--dim);font-size:.85em}
.k{white-space:nowrap;font-size:.87em;margin-left:16px}.k i{display:inline-block;width:20px;height:0;margin-right:6px;
vertical-align:3px;border-top:3px solid var(--a)}.k .b{border-color:var(--b);border-top-style:dashed}
.k .sq{height:11px;width:14px;vertical-align:-1px;border:0;
background:var(--a)}.k .b.sq{background:var(--b)}
.f{display:grid;grid-template-columns:var(--y,7ch) minmax(0,1fr);gap:0 8px;font-size:12px;
font-variant-numeric:tabular-nums}.y{position:relative;height:170px;color:var(--dim)}
.y span{position:absolute;right:0;transform:translateY(-50%);white-space:nowrap}
.p{display:block;width:100%;height:170px;background:var(--soft);border:1px solid var(--faint);overflow:hidden}
.p path{vector-effect:non-scaling-stroke}.l{fill:none;stroke-width:1.6;stroke-linejoin:round;stroke-linecap:round}
.a{stroke:var(--a)}.b{stroke:var(--b);stroke-dasharray:5 3}.n{fill:var(--band);stroke:none}
.s{stroke-width:.5}.a.s{fill:var(--a)}.b.s{fill:var(--b);stroke-dasharray:none}.e.s{fill:var(--warn);stroke:var(--warn)}
.r{stroke:var(--faint)}.v{stroke:var(--fg);stroke-width:1.5;stroke-dasharray:2 3}.p .g{opacity:.45}
.m2{display:grid;grid-template-columns:repeat(auto-fill,minmax(300px,1fr));
gap:10px 26px}.m2 .y,.m2 .p{height:110px}
.m2 b{font-weight:600}.m2 small{color:var(--dim);display:block}.q{margin:4px 0 8px}.q .e{color:var(--warn)}
details{margin:6px 0}summary{cursor:pointer;padding:2px 0;color:var(--link);font-size:.9em;width:fit-content}
.one{border:1px solid var(--faint);border-radius:6px;padding:2px 14px;margin:10px 0}
.one>summary{color:var(--fg);font-size:1.05em;font-weight:600;padding:8px 0;width:auto}
.one>summary small{font-weight:400;color:var(--dim);margin-left:10px}
.w{overflow-x:auto;max-height:440px;overflow-y:auto;border:1px solid var(--faint);width:fit-content;max-width:100%}
table{border-collapse:collapse;font-size:.85em;font-variant-numeric:tabular-nums}
th,td{padding:3px 10px;text-align:right;white-space:nowrap;border-bottom:1px solid var(--faint)}
thead th{position:sticky;top:0;background:var(--soft);color:var(--fg)}
th:first-child,.l2 td:nth-child(2),.l2 th:nth-child(2){text-align:left}tbody th{font-weight:500}
.l2{max-height:none}
footer{margin-top:48px;color:var(--dim);font-size:.87em}
@media(max-width:640px){body{padding:0 12px 40px;font-size:16px}.i{grid-template-columns:1fr auto}
.i .t{grid-row:2;grid-column:1/3}.i .x{grid-column:1/3}.x .o{display:none}.k{display:block;margin-left:0}
.f{gap:0 5px}.one{padding:2px 8px}}
@media print{.one>summary~*{break-inside:avoid}}
"""
