# Builds and tests everything. `make help` lists the targets; ./run.sh builds by itself.
#
# All that is built lies in build/, or in a folder of its own below it for sanitizers (make SANITIZE=address,undefined test).
# A new .c file is picked up by itself. A new implementation is one file in impls/ and one line in impls/registry/registry.c; one on a CUDA
# device is one .cu file in impls/cuda/ and one line in impls/cuda/registry.h.

ifeq ($(origin CC),default)
CC := gcc
endif
# clang's own for a C compiler that is clang: both need one OpenMP.
clang := $(findstring clang,$(notdir $(CC)))
ifeq ($(origin CXX),default)
CXX := $(if $(clang),$(dir $(filter /%,$(CC)))$(subst clang,clang++,$(notdir $(CC))),g++)
endif

# What recipes and all that they start work in: bench/build/environment.sh, which the scripts source themselves.
unexport $(shell sed -n 's/^ *unset //p' bench/build/environment.sh | tr ' ' '\n' | grep -vx TMPDIR)
export LC_ALL := C
ifeq ($(wildcard $(TMPDIR)/.),)
unexport TMPDIR
endif
SANITIZE :=

comma := ,
BUILD := build$(if $(SANITIZE),/$(subst $(comma),-,$(SANITIZE)))
OBJECTS := $(BUILD)/objects
FLAGS_FILE := $(BUILD)/flags
CUDA_FILE := $(BUILD)/flags-cuda
FILE_FLAGS :=

# One job a processor; make -j1 still means one.
MAKEFLAGS += -j$(shell nproc)

.DEFAULT_GOAL := all
.DELETE_ON_ERROR:
.SUFFIXES:
LINTS := lint-format lint-tidy lint-cppcheck lint-shell lint-rooms
KILLS := 200
.PHONY: all test test-full sanitize sanitized docs kills build-kills flips columns cuda-resources outputs mutants aa format lint $(LINTS) install clean help needs cuda plugins fuzz faults scale tsan FORCE

# ---- What is compiled, and how often -----------------------------------------------------------------------------------

# Rooms of arithmetic are compiled once per dtype and instruction level; every other room is compiled once.
VARIANT_ROOMS := impls impls/math impls/fused impls/selective impls/delta impls/selective_heads bench/machine/kernels train/layers train/math tests/planted
BENCH_ROOMS := $(addprefix bench/,base machine problems sweep journal measure plugin report report/blocks command)
TEST_ROOMS := tests $(addprefix tests/,support base machine problems sweep journal measure report plots command impls tasks train)
BITS := 32 64
ifeq ($(shell uname -m),x86_64)
LEVELS := baseline avx2 avx512
DEFINES := -DLEVELS_X86=1
else
LEVELS := baseline
DEFINES :=
endif
LEVEL_FLAGS_baseline := $(if $(filter x86_64,$(shell uname -m)),-march=x86-64)
LEVEL_FLAGS_avx2 := -march=x86-64 -mavx2 -mfma -mbmi -mbmi2
LEVEL_FLAGS_avx512 := $(LEVEL_FLAGS_avx2) -mavx512f -mavx512bw -mavx512cd -mavx512dq -mavx512vl -mprefer-vector-width=512

# Implementations on a CUDA device, where nvcc is found (make NVCC= builds without): a fat binary for these compute capabilities, and PTX
# of the last for cards that come later. Sanitizers are for the host's code.
CUDA_TARGETS := 80 90 100
CUDA_ASKED := $(NVCC)
ifneq ($(if $(SANITIZE),,$(filter undefined,$(origin NVCC))$(NVCC)),)
cuda_found = $(shell sed -n $1p $(BUILD)/cuda-found)
CUDA_HOST := $(if $(clang),g++,$(CXX))
ignored := $(shell bench/build/cuda.sh find '$(BUILD)' '$(CUDA_HOST)' '$(CUDA_TARGETS)' $(CUDA_ASKED))
override NVCC := $(call cuda_found,1)
override CUDA_TARGETS := $(call cuda_found,2)
CUDA_REASON := $(call cuda_found,3)
else
override NVCC :=
endif
# What is there in their place without it lies in a folder absent/ beside them.
cuda_or_absent = $(if $(NVCC),$1,$1/absent)

# $1: rooms. The objects of all their sources; variant_objects: of rooms of arithmetic.
names = $(basename $(notdir $(wildcard $1)))
objects = $(patsubst %,$(OBJECTS)/%.o,$(basename $(wildcard $(foreach room,$1,$(addprefix $(room)/,*.c *.cc $(if $(NVCC),*.cu))))))
variant_objects = $(foreach b,$(BITS),$(foreach l,$(LEVELS),$(patsubst %.c,$(OBJECTS)/%.f$b.$l.o,$(wildcard $(addsuffix /*.c,$1)))))
once = $(patsubst %,$(OBJECTS)/$1/%.o,$2)

MAIN := $(call objects,bench)
IMPLS := $(call objects,impls/contract) $(call variant_objects,impls impls/math impls/fused impls/selective impls/delta impls/selective_heads)
CUDA := $(call objects,$(call cuda_or_absent,impls/cuda))
CUDA_LIMITS := $(call objects,$(call cuda_or_absent,bench/machine/cuda))
BENCH := $(call objects,$(BENCH_ROOMS)) $(call variant_objects,bench/machine/kernels)
TASKS := $(call objects,tasks)
TRAIN := $(call objects,train) $(call variant_objects,train/layers train/math)
PLOTS := $(call objects,plots)
TESTS := $(call objects,$(TEST_ROOMS))
PLANTED := $(call variant_objects,tests/planted)
REGISTRY := $(call objects,impls/registry)
LIBRARY := $(IMPLS) $(REGISTRY) $(CUDA) $(TASKS) $(TRAIN) $(BENCH) $(CUDA_LIMITS) $(PLOTS) $(addprefix $(OBJECTS)/,build_identity.o commit.o)
PLANTED_REGISTRY := $(REGISTRY:.o=.planted.o)

SOURCES := $(shell find bench impls tasks train plots tests -name '*.[ch]' -o -name '*.cc' -o -name '*.cu')
SCRIPTS := run.sh .ci/run $(wildcard bench/build/*.sh tests/*.sh tests/mutants/*.sh)

# ---- Flags -------------------------------------------------------------------------------------------------------------

# Contraction is off wherever the same bits are promised on every machine; in the variants it is part of the level's speed.
# Objects do not depend on the folder that the checkout lies in. Sanitizers find more, and build faster, with little optimisation.
OPTIMISE := $(if $(SANITIZE),-O1 -fno-omit-frame-pointer -fsanitize=$(SANITIZE) -fno-sanitize-recover=all,-O3)
# Text that is cut to its buffer is meant to be cut.
WARNINGS := -Wall -Wextra -Wpedantic -Wshadow -Werror -Wno-format-truncation$(if $(clang), $(addprefix -Wno-,unknown-warning-option pass-failed missing-field-initializers format-zero-length string-plus-int))
COMMON := $(OPTIMISE) -g -ffp-contract=off -fopenmp $(WARNINGS) -D_GNU_SOURCE $(DEFINES)
C_FLAGS := -std=c11 $(COMMON) -Wstrict-prototypes -Wmissing-prototypes
CXX_FLAGS := -std=c++17 $(COMMON)
VARIANT_FLAGS := -ffp-contract=fast -fno-trapping-math
LINK_FLAGS := $(OPTIMISE) -fopenmp -pthread -Wl,--as-needed

# Asked for late (=, not :=): pkg-config may have been installed a moment ago.
PACKAGES := openblas yaml-0.1 jansson libxxhash benchmark
PACKAGE_FLAGS = $(eval PACKAGE_FLAGS := $$(shell pkg-config --cflags $(PACKAGES)))$(PACKAGE_FLAGS)
LIBRARIES = $(eval LIBRARIES := $$(shell pkg-config --libs $(PACKAGES)) -lm)$(LIBRARIES)
COMPILER = $(eval COMPILER := $$(shell $(CC) --version | head -n 1))$(COMPILER)
# Libraries that are headers alone are compiled in; what decides drawn numbers is part of the measures' identities.
HEADERS = $(eval HEADERS := $$(shell bench/build/headers.sh $(CC) $$(PACKAGE_FLAGS)))$(HEADERS)
CXX_COMPILER = $(eval CXX_COMPILER := $$(shell $(CXX) --version | head -n 1))$(CXX_COMPILER)

# The Toolkit's own folders, as its compiler names them; its runtime is linked statically, so that the program starts without it.
cuda_says = $(if $(NVCC),$(shell $(NVCC) --dryrun x.cu 2>&1 | sed -n 's/^\#\$$ $1= *//p'))
CUDA_INCLUDES = $(eval CUDA_INCLUDES := $$(patsubst "-I%,-isystem "%,$$(call cuda_says,INCLUDES)))$(CUDA_INCLUDES)
CUDA_LIBRARIES = $(eval CUDA_LIBRARIES := $$(if $(NVCC),$$(filter-out %/stubs",$$(call cuda_says,LIBRARIES)) -lcudart_static -ldl -lrt))$(CUDA_LIBRARIES)
CUDA_COMPILER = $(eval CUDA_COMPILER := $$(if $(NVCC),$$(shell $(NVCC) --version | grep release)))$(CUDA_COMPILER)
CUDA_CODES := $(foreach t,$(CUDA_TARGETS),-gencode arch=compute_$t,code=sm_$t) \
    -gencode arch=compute_$(lastword $(CUDA_TARGETS)),code=compute_$(lastword $(CUDA_TARGETS))
# ptxas reports the registers, shared memory and spills of each kernel, into a file beside the object.
CUDA_FLAGS := -std=c++20 -O3 -Werror all-warnings -Xcompiler -Wall,-Wextra,-Werror -Xptxas -v $(CUDA_CODES)

# What defines the code that the compiler makes, apart from the source; folders of this machine are not part of it.
CODE_FLAGS = $(COMPILER): $(CXX_COMPILER): $(C_FLAGS) | $(VARIANT_FLAGS) $(foreach l,$(LEVELS),| $l $(LEVEL_FLAGS_$l))

# The tests count what an implementation allocates (tests/support/allocations.c), and have the clock in their hand
# (tests/support/clock.c).
WRAPPED := malloc calloc realloc aligned_alloc posix_memalign clock_seconds
WRAP_FLAGS := $(if $(wildcard tests/support/allocations.c),$(patsubst %,-Wl$(comma)--wrap=%,$(WRAPPED)))

# make V=1 shows the whole commands. Whatever is made is made aside and renamed when it is whole, the list of an object's headers before the
# object, so that a build may be killed at any moment; bench/build/damaged.sh knows the last line of the list.
show = @mkdir -p $(@D) && $(if $(V),set -x,echo '$1 $(@:$(BUILD)/%=%)')
whole = -o $@.new && mv -f $@.new $@
list = $(basename $@).d
settle = echo '\# whole' >>$(list).new && mv -f $(list).new $(list) && mv -f $@.new $@
object = -MMD -MP -MF $(list).new -MT $@ -c $< -o $@.new && $(settle)
replace = { cmp -s $@ $@.new && rm -f $@.new || { $(if $1,echo 'write $(@F)' &&) mv -f $@.new $@; }; }
compile = $(call show,compile) && $1 -I. -ffile-prefix-map="$$PWD"=. $(PACKAGE_FLAGS) $2 $(object)
link = $(call show,link) && $(CXX) $(filter %.o,$^) $(LINK_FLAGS) $(LIBRARIES) $(CUDA_LIBRARIES) $1 $(whole)

# ---- Targets -----------------------------------------------------------------------------------------------------------

all: $(BUILD)/bench cuda ## build the program, build/bench

# What the suites start: programs are found by their names in quotes (tests/support/program.h); what makes calls fail, and the CUDA kernels
# on the CPU, by the words that come with them. SUITE=name asks for what that suite's file names, and no more.
PROGRAMS := bench bench-planted faults.so product.so libnvidia-ml.so.1 keys keys-unused
SUITES := $(patsubst test_%.c,%,$(notdir $(wildcard tests/*/test_*.c)))
SUITE_FILE := $(wildcard tests/*/test_$(SUITE).c)
suite_says = $(shell grep -l -e '$1' $(SUITE_FILE) /dev/null)
ifeq ($(SUITE),)
NEEDS := $(PROGRAMS:%=$(BUILD)/%) kernels plugins
TESTS_PROGRAM := $(BUILD)/tests
else
NEEDS := $(foreach p,$(PROGRAMS),$(if $(call suite_says,"$p"),$(BUILD)/$p)) $(if $(call suite_says,program_faulted\|faults.so),$(BUILD)/faults.so) \
    $(if $(call suite_says,KERNEL_WAYS),kernels) $(if $(call suite_says,"plugins"),plugins)
TESTS_PROGRAM := $(BUILD)/suites/$(SUITE)
endif
ifneq ($(filter test test-full,$(MAKECMDGOALS)),)
ifeq ($(if $(SUITE),$(filter $(SUITE),$(SUITES)),yes),)
$(error there is no suite $(SUITE); the suites are $(sort $(SUITES)))
endif
endif

# The longest first, so that none is left for the end.
LONG := cuda selective faults gradients fused selective_fused scripts accuracy kills
IN_ORDER := $(filter $(SUITES),$(LONG)) $(sort $(filter-out $(LONG),$(SUITES)))
test: $(NEEDS) $(TESTS_PROGRAM) ## build and run all tests (SUITE=name: one suite)
	@$(if $(SUITE),BUILD=$(BUILD) OMP_WAIT_POLICY=passive CK_RUN_SUITE=$(SUITE) $(TESTS_PROGRAM),tests/suites.sh $(BUILD) $(IN_ORDER))

test-full: export FULL := 1
test-full: test ## all tests over all combinations; make test covers pairs

# Three are left out: the kernels of suite cuda run under sanitizers of their own in make test; suite scripts starts no program of this
# build; of faults, whose library would have to be loaded before AddressSanitizer's, nothing is left here.
sanitize: ## every suite under AddressSanitizer and UBSan; half an hour
	@MAKEFLAGS= $(MAKE) --no-print-directory SANITIZE=address,undefined sanitized
sanitized: $(NEEDS) $(TESTS_PROGRAM)
	@tests/suites.sh $(BUILD) $(filter-out cuda faults scripts,$(IN_ORDER))

columns: $(BUILD)/bench ## write docs/columns.md, the columns of table.csv
	@$(BUILD)/bench columns >docs/columns.md.new && mv -f docs/columns.md.new docs/columns.md

cuda-resources: $(BUILD)/bench ## write docs/cuda-resources.md, resources of the CUDA kernels
	@BUILD=$(BUILD) tests/cuda_resources.sh --write

docs: $(BUILD)/bench ## update the generated blocks of pages from results/reference
	@$(BUILD)/bench blocks $$(find README.md docs results/reference/README.md -name '*.md' | sort)

kills: ## kill and resume a run at 200 random moments (KILLS=n); minutes
	@KILLS=$(KILLS) CK_DEFAULT_TIMEOUT=86400 $(MAKE) --no-print-directory SUITE=kills test

build-kills: $(BUILD)/bench ## kill a build at 200 moments and build again (KILLS=n); minutes
	@BUILD=$(BUILD) tests/build.sh --kills $(KILLS)

flips: ## damage what runs keep at 500 random places of each file (FLIPS=n); minutes
	@FLIPS=$(or $(FLIPS),500) CK_DEFAULT_TIMEOUT=86400 $(MAKE) --no-print-directory SUITE=flips test

outputs: ## hash all outputs (tests/outputs.sh OLD compares with a commit)
	@tests/outputs.sh

mutants: ## plant bugs in a copy, one at a time; suites must notice; an hour
	@tests/mutants.sh

aa: ## run a sweep twice, count intervals that exclude each other
	@tests/aa.sh

format: | needs ## format the sources with clang-format
	@clang-format -i $(SOURCES)

lint: $(LINTS) ## static analysis, layout, shell scripts, includes between rooms

lint-format: | needs
	@clang-format --dry-run -Werror $(SOURCES)

# Not of plug-ins, which are written as people outside write theirs.
lint-tidy: | needs
	@printf '%s\n' $(filter-out tests/plugin/% bench/plugin/skeleton/% $(if $(NVCC),,$(shell grep -l 'include <cuda' $(SOURCES))),$(filter %.c,$(SOURCES))) | xargs -P $$(nproc) -I {} clang-tidy --quiet --warnings-as-errors='*' {} -- \
	    $(filter-out -Werror -fopenmp,$(C_FLAGS)) '-DKERNEL_WAYS=""' -I. $(PACKAGE_FLAGS) $(CUDA_INCLUDES) 2>&1 | { ! grep -A 5 -E 'warning:|error:'; }

# False alarms of cppcheck: errors that fail() fills in, struct literals passed on, NULL as (void *)0.
CPPCHECK_MISTAKEN := ctuuninitvar returnDanglingLifetime varFuncNullUB
lint-cppcheck: | needs
	@cppcheck --quiet --std=c11 --language=c --error-exitcode=1 --inline-suppr --enable=warning,performance,portability \
	    $(addprefix --suppress=,missingIncludeSystem $(CPPCHECK_MISTAKEN)) -I. $(filter %.c,$(SOURCES))

lint-shell: | needs
	@shellcheck $(SCRIPTS)

lint-rooms: $(BUILD)/bench
	@BUILD=$(BUILD) tests/rooms.sh

PREFIX := /usr/local
install: ## install fprnn.h for plug-ins, and its pkg-config file (PREFIX=/usr/local)
	@install -d '$(DESTDIR)$(PREFIX)/include' '$(DESTDIR)$(PREFIX)/lib/pkgconfig'
	@install -m 644 bench/plugin/fprnn.h '$(DESTDIR)$(PREFIX)/include/fprnn.h'
	@version=$$(sed -n 's/^#define FPRNN_M[AI][JN]OR //p' bench/plugin/fprnn.h | paste -sd .) && \
	    printf '%s\n' 'prefix=$(PREFIX)' 'Name: fprnn' 'Description: interface of plug-ins of the benchmark of Fixed-Point RNNs' \
	    "Version: $$version" 'Cflags: -I$${prefix}/include' >'$(DESTDIR)$(PREFIX)/lib/pkgconfig/fprnn.pc'

clean: ## remove everything that was built
	rm -rf build

help: ## print this list
	@sed -n 's/^\([a-z][a-z-]*\):.*## \(.*\)/\1\t\2/p' Makefile | expand -t 16

# What must be on the machine before anything is built; installs it where it is missing.
needs:
	@bench/build/install.sh run $(if $(filter test% faults kills flips sanitize% tsan %/tests,$(MAKECMDGOALS)),test) $(if $(filter format lint%,$(MAKECMDGOALS)),lint) \
	    $(if $(filter fuzz tsan,$(MAKECMDGOALS))$(clang),clang)

cuda: $(BUILD)/bench
	@touch -c $(BUILD)/sources # bench/build/changed.sh
	@$(if $(CUDA_HOST),bench/build/cuda.sh say '$(BUILD)',echo 'CUDA: not asked for; GPU implementations are unsupported in this build.')

$(BUILD)/bench: $(MAIN) $(LIBRARY)
	$(call link)

$(BUILD)/tests: $(TESTS) $(LIBRARY) $(filter $(OBJECTS)/tests/planted/planted_gradient.%,$(PLANTED))
	$(call link,$(WRAP_FLAGS) $$(pkg-config --libs check))

# One suite alone: none of the other suites' objects, and of the program what it needs (tests/needs.sh).
SUITE_SOURCES := $(if $(SUITE),$(shell tests/needs.sh $(SUITE_FILE)))
$(BUILD)/suites/$(SUITE): $(OBJECTS)/tests/main.o $(SUITE_FILE:%.c=$(OBJECTS)/%.o) $(if $(filter all,$(SUITE_SOURCES)),$(call objects,tests/support) $(LIBRARY) \
    $(filter $(OBJECTS)/tests/planted/planted_gradient.%,$(PLANTED)),$(SUITE_SOURCES:%=$(OBJECTS)/%.o) $(call once,tests/support,allocations clock) $(call once,bench/base,clock))
	$(call link,$(WRAP_FLAGS) $$(pkg-config --libs check))

$(BUILD)/bench-planted: $(MAIN) $(filter-out $(REGISTRY),$(LIBRARY)) $(PLANTED_REGISTRY) $(PLANTED)
	$(call link)

# ---- Proof by force (docs/explanation/testing.md) ------------------------------------------------------------------------

# The parsers of untrusted bytes, in a build of their own with clang; one instruction level will do.
FUZZED := sweep journal safetensors draw
CLANG_BUILD := CC=clang CXX=clang++ NVCC= LEVELS=baseline DEFINES= WARNINGS='-Wno-everything -Werror=incompatible-pointer-types -Werror=int-conversion'
fuzz: | needs ## fuzz everything that reads files, SECONDS=60 for each reader
	@MAKEFLAGS= $(MAKE) --no-print-directory $(CLANG_BUILD) BUILD=build/fuzz SANITIZE=fuzzer-no-link,address,undefined $(FUZZED:%=build/fuzz/fuzz-%)
	@tests/fuzz.sh build/fuzz $(or $(SECONDS),60) $(FUZZED)

$(FUZZED:%=$(BUILD)/fuzz-%): $(BUILD)/fuzz-%: $(OBJECTS)/tests/fuzz/%.o $(OBJECTS)/tests/fuzz/fuzz.o $(LIBRARY)
	$(call link,-fsanitize=fuzzer)

# All implementations under ThreadSanitizer; libomp rather than libgomp, whose barriers it does not know.
tsan: | needs ## look for data races in implementations (ThreadSanitizer)
	@MAKEFLAGS= $(MAKE) --no-print-directory $(CLANG_BUILD) BUILD=build/tsan SANITIZE=thread build/tsan/races
	@tests/races.sh build/tsan

$(BUILD)/races: $(call once,tests,races/races support/cases support/delta_cases support/heads_cases support/pairs support/reference support/selective_cases) $(filter-out $(REGISTRY),$(LIBRARY)) \
    $(PLANTED_REGISTRY) $(PLANTED)
	$(call link,$$(pkg-config --libs check))

# Prints keys of points, as it is and with a field more than there is (tests/build_identity.sh).
$(BUILD)/keys: $(call once,tests,identity/keys) $(LIBRARY)
	$(call link)

# Makes finished runs of any size (tests/scale.sh).
$(BUILD)/make-run: $(call once,tests,scale/make_run) $(LIBRARY)
	$(call link)

scale: $(BUILD)/bench $(BUILD)/make-run ## what check, start, resume and draw cost against the number of records; minutes
	@tests/scale.sh $(BUILD)

UNUSED := $(BUILD)/unused
$(BUILD)/keys-unused: $(patsubst %.c,$(UNUSED)/%.o,$(wildcard bench/sweep/*.c tests/identity/*.c)) $(filter-out $(OBJECTS)/bench/sweep/%,$(LIBRARY))
	$(call link)

$(UNUSED)/made: tests/identity/unused.sh $(wildcard bench/sweep/* tests/identity/*.c)
	@rm -rf $(@D) && mkdir -p $(@D)/tests && cp -r tests/identity $(@D)/tests/ && tests/identity/unused.sh $(@D) && touch $@

$(UNUSED)/%.o: $(UNUSED)/made $(FLAGS_FILE)
	$(call show,compile) && $(CC) $(C_FLAGS) -I$(UNUSED) -I. $(PACKAGE_FLAGS) $(subst -c $<,-c $(@:.o=.c),$(object))

# Makes calls fail in a program that it is loaded before; for the suite faults.
$(BUILD)/faults.so: tests/faults/faults.c $(FLAGS_FILE)
	$(call show,link) && $(CC) $(C_FLAGS) -fPIC -shared $< $(whole)

# Makes OpenBLAS multiply wrongly; for the suite product.
$(BUILD)/product.so: tests/faults/product.c $(FLAGS_FILE)
	$(call show,link) && $(CC) $(C_FLAGS) $(PACKAGE_FLAGS) -fPIC -shared $< $(whole)

# Stands for NVIDIA's library of that name; for the suite machine.
$(BUILD)/libnvidia-ml.so.1: tests/nvml/nvml.c $(FLAGS_FILE)
	$(call show,link) && $(CC) $(filter-out -fsanitize=%,$(C_FLAGS)) -fPIC -shared -Wl,-soname,$(@F) $< $(whole)

# Plug-ins as people outside build them: with this one header, and no flag of this build. For the suite plugin.
PLUGIN_FAULTS := $(shell grep -o 'IS("[a-z0-9_]*")' tests/plugin/bad.c | cut -d '"' -f 2 | sort -u)
PLUGINS := $(addprefix $(BUILD)/plugins/,scan.so scan_cxx.so scan_1_0.so iterate.so $(PLUGIN_FAULTS:%=%.so))
PLUGIN_FLAGS := -O2 -fPIC -shared -Wall -Wextra -Wpedantic -Werror -I.
plugins: $(PLUGINS)
$(BUILD)/plugins/%.so: tests/plugin/bad.c tests/plugin/scan.c bench/plugin/fprnn.h
	$(call show,plug-in) && $(CC) -std=c11 -D_DEFAULT_SOURCE $(PLUGIN_FLAGS) '-DFAULT="$*"' $< $(whole)
$(BUILD)/plugins/scan.so $(BUILD)/plugins/iterate.so: $(BUILD)/plugins/%.so: tests/plugin/%.c bench/plugin/fprnn.h
	$(call show,plug-in) && $(CC) -std=c11 $(PLUGIN_FLAGS) $< $(whole)
$(BUILD)/plugins/scan_1_0.so: tests/plugin/scan.c tests/plugin/frozen/fprnn_1_0.h
	$(call show,plug-in) && $(CC) -std=c11 $(PLUGIN_FLAGS) -include tests/plugin/frozen/fprnn_1_0.h $< $(whole)
$(BUILD)/plugins/scan_cxx.so: tests/plugin/scan.c bench/plugin/fprnn.h
	$(call show,plug-in) && $(CXX) -x c++ -std=c++11 $(PLUGIN_FLAGS) $< $(whole)

faults: $(BUILD)/bench $(BUILD)/faults.so $(BUILD)/tests ## fault injection: fail each call of a run, one at a time; long
	@begin=$$(date +%s); BUILD=$(BUILD) FAULTS=every CK_RUN_SUITE=faults CK_DEFAULT_TIMEOUT=86400 $(BUILD)/tests; status=$$?; \
	    echo "in $$(($$(date +%s) - begin)) s"; exit $$status

# ---- Rules -------------------------------------------------------------------------------------------------------------

# Rewritten only when a command line or the compiler changes; everything compiled depends on it.
$(FLAGS_FILE): FORCE | needs
	@mkdir -p $(@D)
	@printf '%s\n' '$(CODE_FLAGS)' '$(CXX) $(CXX_FLAGS)' '$(HEADERS)' '$(PACKAGE_FLAGS) $(LIBRARIES) $(LINK_FLAGS) $(WRAP_FLAGS)' >$@.new
	@$(call replace)

# The same of what the CUDA Toolkit has to do with: it may come and go.
$(CUDA_FILE): FORCE
	@mkdir -p $(@D)
	@printf '%s\n' '$(NVCC) $(CUDA_COMPILER) $(CUDA_REASON)' '$(CUDA_FLAGS)' '$(CUDA_INCLUDES) $(CUDA_LIBRARIES)' >$@.new
	@$(call replace)

$(OBJECTS)/%.o: %.cu $(CUDA_FILE)
	$(call show,nvcc) && { $(NVCC) -ccbin $(CUDA_HOST) $(CUDA_FLAGS) -I. -MMD -MP -MF $(list).new -MT $@ -c $< -o $@.new 2>$(@:.o=.ptxas) || \
	    { grep -v '^ptxas info' $(@:.o=.ptxas) >&2; exit 1; }; } && $(settle)

$(OBJECTS)/impls/cuda/%: FILE_FLAGS = $(CUDA_INCLUDES)
$(CUDA) $(CUDA_LIMITS): $(CUDA_FILE)
$(REGISTRY) $(PLANTED_REGISTRY): FILE_FLAGS := $(if $(NVCC),-DWITH_CUDA)
$(REGISTRY) $(PLANTED_REGISTRY): $(CUDA_FILE)
# Why there is none, where there is a Toolkit.
$(OBJECTS)/impls/cuda/absent/absent.o: FILE_FLAGS := $(if $(CUDA_REASON),'-DCUDA_ABSENT="$(CUDA_REASON)"')

# $1: 32 or 64, $2: instruction level, $3: folder
define variant_rule
$(OBJECTS)/$3/%.f$1.$2.o: $3/%.c $(FLAGS_FILE)
	$$(call compile,$$(CC) $$(C_FLAGS) $$(VARIANT_FLAGS) $$(LEVEL_FLAGS_$2),-DREAL_BITS=$1 -DLEVEL=$2)
endef
$(foreach folder,$(VARIANT_ROOMS),$(foreach b,$(BITS),$(foreach l,$(LEVELS),$(eval $(call variant_rule,$b,$l,$(folder))))))

$(OBJECTS)/%.o: %.c $(FLAGS_FILE)
	$(call compile,$(CC) $(C_FLAGS),$(FILE_FLAGS))

$(OBJECTS)/%.o: %.cc $(FLAGS_FILE)
	$(call compile,$(CXX) $(CXX_FLAGS))

# The gnuplot scripts are carried inside.
$(PLOTS): $(wildcard plots/*.gp)

$(OBJECTS)/%.planted.o: %.c $(wildcard tests/planted/*.c) $(FLAGS_FILE)
	$(call compile,$(CC) $(C_FLAGS),$(FILE_FLAGS) '-DMORE_IMPLEMENTATIONS(X)=$(patsubst %,X(%),$(call names,tests/planted/*.c))')

# Written anew only when it says something else.
$(BUILD)/build_identity.c: bench/build/build_identity.sh $(filter-out tests/% plots/%,$(SOURCES)) $(FLAGS_FILE) $(CUDA_FILE)
	@mkdir -p $(@D)
	@bench/build/build_identity.sh '$(CODE_FLAGS)' '$(CUDA_COMPILER): $(CUDA_FLAGS)' '$(C_FLAGS) | $(VARIANT_FLAGS)' '$(HEADERS)' >$@.new
	@$(call replace,say)

# The same of the commit: looked at each time, in an object of its own, so that nothing else is compiled for it.
$(BUILD)/commit.c: FORCE
	@mkdir -p $(@D)
	@bench/build/commit.sh >$@.new
	@$(call replace)

$(OBJECTS)/build_identity.o $(OBJECTS)/commit.o: $(OBJECTS)/%.o: $(BUILD)/%.c $(FLAGS_FILE)
	$(call compile,$(CC) $(C_FLAGS))

include tests/cuda/rules.mk

ignored := $(shell bench/build/damaged.sh '$(BUILD)'; bench/build/changed.sh '$(BUILD)')
-include $(shell find $(OBJECTS) $(UNUSED) -name '*.d' 2>/dev/null)
