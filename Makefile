# Every target sets up what it needs; `make env` alone does only that.
.DEFAULT_GOAL := help
.PHONY: help env lock demo test test-all test-alone collect test-asr test-fast coverage check clean sbom audit \
	bench-sample bench-quality bench-route bench-separation bench-effects bench-mix \
	bench-picture bench-dub bench-profile bench-speech bench-voices bench-glossary bench-page bench-bot bench-stems card-pictures train train-borders chaos fuzz \
	images compose-test

MEDIA := .venv/bin
ASR := .venv-asr/bin
OUT ?= out/demo
# Processes of unit tests; of all tests there are five for two of these, since half of the time they wait for others.
JOBS ?= 2
SAMPLE_RESULT := build/sample-result
# The tests start hundreds of processes; each would compile all that it imports.
unexport PYTHONDONTWRITEBYTECODE

# Any Python runs the set-up, which looks for CPython 3.11 or has uv fetch it; PYTHON=... chooses another.
define setup
@for python in $(PYTHON) python3.11 python3 python; do \
	"$$python" -S -c '' 2>/dev/null && exec "$$python" -m deploy.setup $(1); \
done; \
echo "Stemcord needs Python. Install it (the command python3) and try again." >&2; exit 1
endef

define images
@for python in $(PYTHON) python3.11 python3; do \
	"$$python" -S -c '' 2>/dev/null && exec "$$python" -m deploy.images $(1); \
done; exit 1
endef

help: ## Show what can be made
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/:[^#]*## /\t/' | expand -t 20

env: ## Build .venv and .venv-asr, or mend them; does nothing when both are whole
	$(call setup,env)

lock: ## Choose the versions of all packages anew; UPGRADE=1 takes the newest that fit
	$(call setup,lock $(if $(UPGRADE),--upgrade))

demo: env ## Run the main job on the sample clip; the files land in out/demo
	$(MEDIA)/stemcord run tests/data/sample.mp4 --out $(OUT)

# What reads the code runs beside the tests, on whichever core waits; it is told at the end.
test: env ## Lint, types, import contracts, and all tests in both environments
	@rm -rf $(SAMPLE_RESULT) && mkdir -p build
	@$(MAKE) --no-print-directory check > build/check.log 2>&1 & check=$$!; trap "kill $$check 2> /dev/null" EXIT INT TERM; \
	$(MAKE) --no-print-directory test-all; tested=$$?; \
	wait $$check; checked=$$?; cat build/check.log; exit $$((tested + checked))

# Those that listen to a browser leave one core idle, so those of the asr environment, which take one, run beside them.
test-all: collect
	$(MEDIA)/python -m pytest -n $$((5 * $(JOBS) / 2)) --dist loadfile -m "not (alone or asr or bench)" --sample-result $(SAMPLE_RESULT)
	@OMP_NUM_THREADS=1 $(MAKE) --no-print-directory test-asr > build/asr.log 2>&1 & asr=$$!; trap "kill $$asr 2> /dev/null" EXIT INT TERM; \
	$(MAKE) --no-print-directory test-alone; heard=$$?; \
	wait $$asr; recognised=$$?; cat build/asr.log; exit $$((heard + recognised))

test-alone: env
	$(MEDIA)/python -m pytest -m "alone and not (asr or bench)" --sample-result $(SAMPLE_RESULT) tests/e2e

# Compiles the tests once instead of in each process.
collect: env
	@mkdir -p build
	@$(MEDIA)/python -m pytest --collect-only -q -m "not (alone or asr or bench)" > build/collect.log || { tail -n 60 build/collect.log; exit 1; }

test-asr: env ## The tests of the asr environment
	$(ASR)/python -m pytest -m asr $$(grep -rl --include='test_*.py' 'mark\.asr' tests)

test-fast: env ## The unit tests of all packages, without lint and types
	$(MEDIA)/python -m pytest -n $(JOBS) --dist loadfile --kind unit -m "unit and not asr"

coverage: env ## Which lines the unit and integration tests run
	$(MEDIA)/python -m pytest -n $(JOBS) --dist loadfile -m "(unit or integration) and not asr" --cov --cov-report term

check: env ## Lint, types and the import contracts between the packages
	$(MEDIA)/ruff check
	$(MEDIA)/ruff format --check
	$(MEDIA)/pyright
	$(MEDIA)/lint-imports

bench-sample: env ## Quality, cost per stage and what the store saves, on the sample
	$(MEDIA)/python -m tests.bench.spine

bench-quality: env ## SI-SDR of the pocket preset on generated mixes (downloads game sounds)
	$(MEDIA)/python -m tests.bench.separation_quality

bench-route: env ## The measured route on labelled sets, held-out ones too (downloads 700 MB of sounds)
	$(MEDIA)/python -m tests.bench.route_set --hour

bench-separation: env ## Speed, memory and difference of HTDemucs against the library's own
	$(MEDIA)/python -m tests.bench.separation_speed $(if $(SECONDS),--seconds $(SECONDS))
	$(MEDIA)/python -m tests.bench.separation_memory --every 20

bench-effects: env ## How well effects are told from ambience (downloads game sounds)
	$(MEDIA)/python -m tests.bench.effects_split

bench-mix: env ## Gains, loudness by a second meter, time and memory of the remix
	$(MEDIA)/python -m tests.bench.mix --minutes 5 120
	$(MEDIA)/python -m tests.bench.aac
	$(MEDIA)/python -m tests.bench.rebalance --task remix

bench-picture: env ## Is the picture untouched and the sound in its place, for each kind of clip
	$(MEDIA)/python -m tests.bench.picture

bench-dub: env ## A dub of the sample per turn, per speaker and as one track (builds synthetic voices)
	$(MEDIA)/python -m tests.bench.dub

bench-speech: env ## Who said what on a labelled set; speed, word times, silence, clock
	$(MEDIA)/python -m tests.bench.speech --half all --diarization
	$(MEDIA)/python -m tests.bench.speech --half none
	$(MEDIA)/python -m tests.bench.speech_memory
	$(MEDIA)/python -m tests.bench.recognition
	$(MEDIA)/python -m tests.bench.recognition_inputs
	$(MEDIA)/python -m tests.bench.clock

bench-voices: env ## How surely a known voice is found again
	$(MEDIA)/python -m tests.bench.voices

bench-glossary: env ## What a glossary mends, on lines with rare terms and lines that sound like them
	$(MEDIA)/python -m tests.bench.glossary --half tune
	$(MEDIA)/python -m tests.bench.glossary --half held

card-pictures: env ## Pictures of the card of a result, to look at
	$(MEDIA)/python -m tests.bench.card_pictures

bench-page: env ## A minute of listening to the stems of a results page in Chromium: how far apart they are
	STEMCORD_TEST_LISTEN_SECONDS=60 $(MEDIA)/python -m pytest tests/e2e/test_together.py

bench-bot: env ## Acknowledgements with 20 commands at once, memory after 500 jobs
	$(MEDIA)/python -m tests.bench.bot_memory

bench-profile: env ## Where the sample's job spends its time, by stage and by operator, beside what the processor could do
	$(MEDIA)/python -m tests.bench.stage_profile

bench-guard: env ## Which stage became slower than in another revision (BASE), in turns (PAIRS)
	$(MEDIA)/python -m tests.bench.guard --base $(or $(BASE),HEAD~1) --pairs $(or $(PAIRS),5)

train: env ## Train the separator of backgrounds, from packages to weights (BUDGET: processor seconds, RUN: folder)
	$(MEDIA)/python -m pipeline.training recipe $(or $(RUN),out/training) --budget $(or $(BUDGET),3600) --start-from-spleeter --hints --notes

train-borders: env ## Train the network that hears where words border, from packages to weights (OUT_FILE: its file)
	$(MEDIA)/python -m tests.bench.border_training $(if $(OUT_FILE),--out $(OUT_FILE))

bench-stems: env ## How well backgrounds are parted into music, SFX and ambience, on the frozen test mixes
	$(MEDIA)/python -m pipeline.training evaluate pipeline/training/checkpoints/background.safetensors

chaos: env ## A thousand faults by chance of a seed (FAULTS, SEED): what becomes of jobs, messages and files
	$(MEDIA)/python -m tests.chaos --faults $(or $(FAULTS),1000) --seed $(or $(SEED),1)

sbom: env ## What both environments consist of, as CycloneDX, in build/
	$(MEDIA)/python -m deploy.supply sbom build/sbom-media.json
	$(ASR)/python -m deploy.supply sbom build/sbom-asr.json

audit: env ## Known vulnerabilities of all locked packages (ADVISORIES: PyPI's all.zip of OSV, or a folder of its JSON)
	$(MEDIA)/python -m deploy.supply audit $(or $(ADVISORIES),$(error Give a file or folder: make audit ADVISORIES=all.zip))

fuzz: env ## Odd containers, and ten thousand hostile files by chance of a seed (INPUTS, SEED): what crashes, hangs or gets out
	STEMCORD_TEST_RECIPES=220 $(MEDIA)/python -m pytest tests/pipeline/media/containers/test_odd_containers.py
	$(MEDIA)/python -m tests.fuzz --inputs $(or $(INPUTS),10000) --seed $(or $(SEED),1) --keep out/fuzz

images: ## Build the container images (IMAGES="bot media": some of them; FLAGS: of python3 -m deploy.images)
	$(call images,$(IMAGES) $(FLAGS))

compose-test: env ## Bring deploy/compose.yaml up with podman and separate and transcribe a clip (after: make images)
	$(call images,broker database)
	$(MEDIA)/python -m tests.compose

clean: ## Delete both environments and what was built; kept: models, results, uv's own cache
	rm -rf .venv .venv-asr .cache build dist .pytest_cache .ruff_cache .hypothesis .import_linter_cache .coverage
