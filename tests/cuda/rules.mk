# Programs that run the kernels of impls/cuda/ on the CPU (runner.h), one a sanitizer; and copies of implementations with a bug
# planted in each. They need no CUDA Toolkit. The suite cuda runs them.
KERNELS := $(BUILD)/kernels
KERNEL_NAMES := $(call names,impls/cuda/*.cu)
# A build of the program under sanitizers has none: their own are linked with the program's plain objects.
KERNEL_WAYS := $(if $(SANITIZE),,plain address $(if $(shell command -v clang++),thread))
KERNEL_FLAGS := -std=c++20 -g -fPIC -ffp-contract=fast -Wall -Wextra -Werror -Wno-unknown-pragmas '-DKERNEL_RUNNER="tests/cuda/runner.h"'
KERNEL_FLAGS_plain := -O2
KERNEL_FLAGS_address := -O1 -fno-omit-frame-pointer -fsanitize=address,undefined -fno-sanitize-recover=all
KERNEL_FLAGS_thread := -O1 -fsanitize=thread -Wno-pass-failed
KERNEL_CXX_plain := $(CXX)
KERNEL_CXX_address := $(CXX)
KERNEL_CXX_thread := clang++
# What of the program is the same in all of them: nothing of it is a sanitizer's subject.
KERNEL_TESTS := $(call once,tests,$(addprefix support/,cases complex_map complex_selective complex_delta complex_heads selective_cases gradient_cases gradients pairs reference) cuda/kernels)
KERNEL_LIBRARY := $(filter-out $(CUDA) $(CUDA_LIMITS) $(OBJECTS)/impls/registry/registry.o,$(LIBRARY)) $(OBJECTS)/impls/cuda/support.o $(call objects,bench/machine/cuda/absent)

# $1: plain, address or thread
define kernel_rules
$(KERNELS)/$1/%.o: impls/cuda/%.cu $(FLAGS_FILE)
	$$(call show,compile) && $$(KERNEL_CXX_$1) $$(KERNEL_FLAGS) $$(KERNEL_FLAGS_$1) -I. -x c++ $$(object)
$(KERNELS)/$1/bugs.o: tests/cuda/bugs.cc $(FLAGS_FILE)
	$$(call show,compile) && $$(KERNEL_CXX_$1) $$(KERNEL_FLAGS) $$(KERNEL_FLAGS_$1) -I. $$(object)
$(KERNELS)/$1/%.o: tests/cuda/%.cc $(FLAGS_FILE)
	$$(call show,compile) && $$(KERNEL_CXX_$1) $$(KERNEL_FLAGS) -O2 $(if $(filter plain,$1),,-DRUNNER_$(shell echo $1 | tr a-z A-Z)) -I. $$(object)
$(BUILD)/kernels-$1: $(patsubst %,$(KERNELS)/$1/%.o,$(KERNEL_NAMES) runner device) $(KERNELS)/registry.o $(KERNEL_TESTS) $(KERNEL_LIBRARY)
	$$(call show,link) && $$(KERNEL_CXX_$1) $$(filter %.o,$$^) $$(filter -fsanitize%,$$(KERNEL_FLAGS_$1)) -rdynamic -fopenmp -pthread -Wl,--as-needed \
	    $$(LIBRARIES) $$$$(pkg-config --libs check) -ldl $$(whole)
$(BUILD)/bugs-$1: $(patsubst %,$(KERNELS)/$1/%.o,bugs runner device) $(OBJECTS)/impls/contract/status.o
	$$(call show,link) && $$(KERNEL_CXX_$1) $$^ $$(filter -fsanitize%,$$(KERNEL_FLAGS_$1)) $$(whole)
$(KERNELS)/$1/limits.o: bench/machine/cuda/limits.cu $(FLAGS_FILE)
	$$(call show,compile) && $$(KERNEL_CXX_$1) $$(KERNEL_FLAGS) $$(KERNEL_FLAGS_$1) -I. -x c++ $$(object)
$(BUILD)/limits-$1: $(patsubst %,$(KERNELS)/$1/%.o,limits runner device) $(call once,tests,cuda/limits) $(OBJECTS)/impls/contract/status.o
	$$(call show,link) && $$(KERNEL_CXX_$1) $$^ $$(filter -fsanitize%,$$(KERNEL_FLAGS_$1)) $$(whole)
KERNEL_PROGRAMS += $(BUILD)/kernels-$1 $(BUILD)/bugs-$1 $(if $(filter thread,$1),,$(BUILD)/limits-$1)
endef
$(foreach way,$(KERNEL_WAYS),$(eval $(call kernel_rules,$(way))))

$(KERNELS)/registry.o: impls/registry/registry.c $(FLAGS_FILE)
	$(call compile,$(CC) $(C_FLAGS),-DWITH_CUDA)

# Stands for NVIDIA's driver where the suite asks for it, in a folder of its own: a real one is not to be hidden from anything else.
KERNEL_PROGRAMS += $(BUILD)/driver/libcuda.so.1
$(BUILD)/driver/libcuda.so.1: tests/cuda/driver.c $(FLAGS_FILE)
	$(call show,link) && $(CC) $(filter-out -fsanitize=%,$(C_FLAGS)) -fPIC -shared -Wl,-soname,$(@F) $< $(whole)

$(OBJECTS)/tests/impls/test_cuda.o: FILE_FLAGS := '-DKERNEL_WAYS="$(KERNEL_WAYS)"'

# impls/cuda/device.c linked with a made-up runtime in the place of the real one.
ifneq ($(NVCC),)
KERNEL_PROGRAMS += $(BUILD)/device-refused
$(OBJECTS)/tests/cuda/runtime.o: FILE_FLAGS = $(CUDA_INCLUDES)
$(OBJECTS)/tests/cuda/runtime.o: $(CUDA_FILE)
$(BUILD)/device-refused: $(call once,tests,cuda/runtime) $(call objects,impls/contract) $(call once,impls/cuda,device support)
	$(call show,link) && $(CXX) $^ $(LINK_FLAGS) $(LIBRARIES) $(whole)
endif

# Copies with a bug: implementation.bug.way, each a shared object that the program of that way loads. Its functions are to call each
# other, not those of the same names in the program.
KERNEL_BUGS := $(foreach name,$(shell sed -n 's/^\([a-z][^ ]*\) .*/\1/p' tests/cuda/planted.list),$(if $(filter $(KERNEL_WAYS),$(lastword $(subst ., ,$(name)))),$(name)))
KERNEL_PROGRAMS += $(KERNEL_BUGS:%=$(KERNELS)/planted/%.so)
.PHONY: kernels
kernels: $(KERNEL_PROGRAMS)
$(KERNELS)/planted/%.so: tests/cuda/planted.list tests/cuda/plant.sh tests/cuda/rules.mk $(wildcard impls/cuda/*.h impls/cuda/*.cu tests/cuda/*.h) $(FLAGS_FILE)
	$(call show,plant) && tests/cuda/plant.sh $* $(@:.so=) && $(KERNEL_CXX_$(lastword $(subst ., ,$*))) $(KERNEL_FLAGS) \
	    $(KERNEL_FLAGS_$(lastword $(subst ., ,$*))) -I$(@:.so=) -I. -shared -Wl,-Bsymbolic -x c++ $(@:.so=)/impls/cuda/$(firstword $(subst ., ,$*)).cu $(whole)

-include $(shell find $(KERNELS) -name '*.d' 2>/dev/null)
