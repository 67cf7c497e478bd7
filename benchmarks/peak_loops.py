"""Write the assembly loops of c/peak.c: multiply-adds alone, and mixed with what an argmin costs.

``fma``: independent fused multiply-adds, enough of them to hide their latency. ``mixD``: what one
vector of samples and one centroid need at least at D features: D multiply-adds, a comparison, a
minimum and the choice of the index; loads and stores are left out, so it is a true upper bound.
"""

from __future__ import annotations

import platform
from dataclasses import dataclass

TURN = 8  # scores of one turn of a mixed loop: enough to be independent
REGISTER_BYTES = {"avx512": 64, "avx2": 32, "neon": 16}
ITEM_BYTES = {"f32": 4, "f64": 8}


@dataclass(frozen=True)
class Loop:
    """One loop: its C function, what it counts in one turn, and its instructions."""

    isa: str
    dtype: str
    mix: str
    operations: int  # of one turn: multiply-add flops for fma, (sample, centroid) pairs for mixes
    body: tuple[str, ...]

    @property
    def function(self) -> str:
        """Name of the C function."""
        return f"{self.mix}_{self.dtype}_{self.isa}"


def here() -> str:
    """Family of this processor: "x86", "arm64" or ""."""
    machine = platform.machine().lower()
    if machine in ("x86_64", "amd64"):
        return "x86"
    return "arm64" if machine in ("aarch64", "arm64") else ""


def loops(isas: list[str], features: list[int]) -> list[Loop]:
    """Loops of every ISA and dtype; mixed ones for each number of features, on x86."""
    made = []
    for isa in isas:
        for dtype, item in ITEM_BYTES.items():
            lanes = REGISTER_BYTES[isa] // item
            body = _neon_fma(dtype) if isa == "neon" else _x86_fma(isa, dtype)
            made.append(Loop(isa, dtype, "fma", 2 * lanes * len(body), body))
            if isa != "neon":
                made += [Loop(isa, dtype, f"mix{d}", lanes * TURN, _x86_mix(isa, dtype, d)) for d in features]
    return made


def _x86_fma(isa: str, dtype: str) -> tuple[str, ...]:
    r, count = ("zmm", 24) if isa == "avx512" else ("ymm", 12)
    last = 31 if isa == "avx512" else 15
    p = "ps" if dtype == "f32" else "pd"
    once = [f"vfmadd231{p} %{r}{last}, %{r}{last - 1}, %{r}{i}" for i in range(count)]
    return tuple(once * (24 // count))


def _x86_mix(isa: str, dtype: str, d: int) -> tuple[str, ...]:
    """Scores of TURN (vector, centroid) pairs; each feature's pass goes over several accumulators.

    avx512: 8 scores for 4 vectors of samples; avx2, with 16 registers: 4 scores for 2 vectors.
    """
    wide = isa == "avx512"
    r, scores, vectors = ("zmm", 8, 4) if wide else ("ymm", 4, 2)
    best, index = scores, scores + vectors  # first registers of each kind
    norm, a, b = (29, 30, 31) if wide else (13, 14, 15)
    p, q = ("ps", "d") if dtype == "f32" else ("pd", "q")
    body: list[str] = []
    for _ in range(TURN // scores):
        body += [f"vmovaps %{r}{norm}, %{r}{j}" for j in range(scores)]  # free: register renaming
        body += [f"vfmadd231{p} %{r}{a}, %{r}{b}, %{r}{j}" for _ in range(d) for j in range(scores)]
        for j in range(scores):
            v = j % vectors
            s, best_v, index_v = f"%{r}{j}", f"%{r}{best + v}", f"%{r}{index + v}"
            if wide:
                mask = f"%k{1 + j % 7}"
                body.append(f"vcmplt{p} {best_v}, {s}, {mask}")
                body.append(f"vmin{p} {best_v}, {s}, {best_v}")
                body.append(f"vmovdqa{32 if q == 'd' else 64} %{r}{norm}, {index_v}{{{mask}}}")
            else:
                mask = f"%{r}{10 + j % 3}"
                body.append(f"vcmplt{p} {best_v}, {s}, {mask}")
                body.append(f"vmin{p} {best_v}, {s}, {best_v}")
                body.append(f"vblendv{p} {mask}, %{r}{norm}, {index_v}, {index_v}")
    return tuple(body)


def _neon_fma(dtype: str) -> tuple[str, ...]:
    kind = "4s" if dtype == "f32" else "2d"
    return tuple(f"fmla v{i}.{kind}, v30.{kind}, v31.{kind}" for i in range(24))


def c_source(made: list[Loop]) -> str:
    """Text of loops.h: one function a loop, the table LOOPS(X), and the loop that reads memory."""
    functions = [_function(loop) for loop in made]
    rows = " ".join(f'X({m.function}, "{m.isa}", "{m.dtype}", "{m.mix}", {m.operations})' for m in made)
    return "\n".join([*functions, _read_loop(), f"#define LOOPS(X) {rows}", ""])


def _function(loop: Loop) -> str:
    if loop.isa == "neon":
        setup = [f"movi v{i}.2d, #0" for i in range(32)]
        return _asm(loop.function, "long turns", setup, list(loop.body), "turns", [], _clobbers(32))
    r, count = ("zmm", 32) if loop.isa == "avx512" else ("ymm", 16)
    vxor = "vpxord" if loop.isa == "avx512" else "vpxor"
    setup = [f"{vxor} %{r}{i}, %{r}{i}, %{r}{i}" for i in range(count)]
    body = list(loop.body)
    return _asm(loop.function, "long turns", setup, body, "turns", ["vzeroupper"], _clobbers(16))


def _read_loop() -> str:
    """Return a loop that loads 256 bytes a turn; 16-byte loads on ARM, 32-byte ones on x86."""
    if here() == "x86":
        body = [f"vmovups {32 * i}(%1), %ymm{i}" for i in range(8)] + ["add $256, %1"]
        end = ["vzeroupper"]
    else:
        body = [f"ldp q{2 * i}, q{2 * i + 1}, [%1, #{32 * i}]" for i in range(8)]
        body, end = [*body, "add %1, %1, #256"], []
    text = _asm("read_buffer", "char *p, long turns", [], body, "turns", end, _clobbers(16), "p")
    return f"#define READ_BYTES 256\n{text}"


def _asm(
    name: str,
    arguments: str,
    setup: list[str],
    body: list[str],
    counter: str,
    end: list[str],
    clobbers: str,
    pointer: str = "",
) -> str:
    count = ["dec %0", "jnz 1b"] if here() == "x86" else ["subs %0, %0, #1", "b.ne 1b"]
    escape = (line.replace("%", "%%").replace("%%0", "%0").replace("%%1", "%1") for line in
              [*setup, "1:", *body, *count, *end])  # fmt: skip
    lines = "\n".join(f'        "{_braces(line)}\\n\\t"' for line in escape)
    outputs = f'"+r"({counter})' + (f', "+r"({pointer})' if pointer else "")
    return (
        f"static void {name}({arguments})\n{{\n    __asm__ volatile(\n{lines}\n"
        f"        : {outputs} : : {clobbers});\n}}\n"
    )


def _braces(line: str) -> str:
    """Escape the braces of a mask: they mean alternatives of syntax in GCC's templates."""
    return line.replace("{", "%{").replace("}", "%}")


def _clobbers(count: int) -> str:
    kind = "xmm" if here() == "x86" else "v"
    return ", ".join([f'"{kind}{i}"' for i in range(count)] + ['"cc"', '"memory"'])
