# SPDX-License-Identifier: MIT
# Makefile: builds, tests and installs vpio.  `make help` lists what it makes.

CC       ?= cc
ifeq ($(origin CC),default)
CC       := gcc
endif
CLANG    ?= clang
AR       ?= ar
OBJCOPY  ?= objcopy
PREFIX   ?= /usr/local
DESTDIR  ?=
VERSION  := 0.1.0
COMPILER := $(notdir $(firstword $(CC)))

# Objects of different compilers and options never meet.
B ?= build$(if $(findstring clang,$(COMPILER)),/clang)$(if $(SAN),/san)
Q := $(if $(V),,@)

CFLAGS   ?= -O2 -g
WARN     := -Wall -Wextra -Wimplicit-fallthrough -Wstrict-prototypes \
	    -Wmissing-prototypes -Wvla -Werror
ifneq ($(SAN),)
SANFLAGS := -fsanitize=address,undefined -fno-sanitize-recover=all \
	    -fno-omit-frame-pointer
endif
FUZZFLAGS := -fsanitize=fuzzer,address,undefined -fno-sanitize-recover=all

# Only asked for when something is compiled: `make clean` needs no library.
ifneq ($(filter-out check clean format help guests,$(or $(MAKECMDGOALS),all)),)
PKGS     := libpci yaml-0.1 libunwind-generic slirp zlib expat cmocka
MISSING  := $(shell for p in $(PKGS); do \
	    pkg-config --exists $$p 2>/dev/null || echo $$p; done)
$(if $(MISSING),$(error no $(MISSING) here: run scripts/deps first))
PKG_CFLAGS := $(shell pkg-config --cflags $(filter-out cmocka,$(PKGS)))
PKG_LIBS := $(shell pkg-config --libs $(filter-out cmocka,$(PKGS)))
TEST_LIBS := $(shell pkg-config --libs cmocka)
endif

ALL_CFLAGS := -std=gnu11 $(CFLAGS) $(WARN) $(SANFLAGS) -pthread \
	      $(PKG_CFLAGS)
ALL_CPPFLAGS := -D_GNU_SOURCE -I. -DVPIO_VERSION='"$(VERSION)"' \
		-DVPIO_SHARE='"$(PREFIX)/share/vpio"' $(CPPFLAGS)
ALL_LDFLAGS := -pthread $(SANFLAGS) $(LDFLAGS)

DMM_O   := $(patsubst %.c,$(B)/%.o,$(sort $(wildcard dmm/*.c)))
VMM_O   := $(patsubst %.c,$(B)/%.o,$(sort $(wildcard vmm/*.c)))
TESTS   := $(patsubst tests/%.c,$(B)/tests/%,$(sort $(wildcard tests/test_*.c)))
BENCHES := $(patsubst tests/%.c,$(B)/%,$(sort $(wildcard tests/bench/*.c)))
FUZZERS := $(patsubst tests/%.c,$(B)/fuzz/%,$(sort $(filter-out \
	   tests/fuzz_driver.c,$(wildcard tests/fuzz_*.c))))
HELPERS := $(patsubst %.c,$(B)/%.o,$(sort $(filter-out tests/test_% \
	   tests/fuzz_%,$(wildcard tests/*.c))))
LIBS    := $(B)/libvmm.a $(B)/libdmm.a
# Of the helpers each program takes what it needs: not all want cmocka.
HELP    := $(B)/libhelp.a $(LIBS)
SOURCES := $(wildcard dmm/*.[ch] vmm/*.[ch] tests/*.[ch] tests/bench/*.[ch] \
	   tests/guests/*.[ch])

.PHONY: all test tests check guests bench benches fuzz fuzz-clang install clean format \
	help
.DELETE_ON_ERROR:
.SECONDARY:

all: $(B)/vpio $(B)/libdmm.a

$(B)/vpio: $(B)/vmm/main.o $(LIBS)
	@echo "  LINK    $@"
	$(Q)$(CC) $(ALL_LDFLAGS) -rdynamic -o $@ $^ $(PKG_LIBS)

# From scratch, so that an object whose source is gone is gone too.
$(B)/libdmm.a: $(DMM_O)
$(B)/libhelp.a: $(HELPERS)
$(B)/libvmm.a: $(filter-out $(B)/vmm/main.o,$(VMM_O))
$(B)/%.a:
	@echo "  AR      $@"
	$(Q)rm -f $@ && $(AR) rcs $@ $(filter %.o,$^)

$(B)/%.o: %.c Makefile
	@echo "  CC      $@"
	@mkdir -p $(@D)
	$(Q)$(CC) $(ALL_CPPFLAGS) $(ALL_CFLAGS) -MMD -MP -c -o $@ $<

# What it takes in whole.
$(B)/vmm/page.o: $(wildcard vmm/page*.html vmm/page*.css vmm/page*.js)

$(B)/tests/test_%: $(B)/tests/test_%.o $(HELP)
	@echo "  LINK    $@"
	$(Q)$(CC) $(ALL_LDFLAGS) -rdynamic -o $@ $^ $(PKG_LIBS) $(TEST_LIBS)

# libdmm as it is, but its calls of malloc() are the test's.
$(B)/libdmm-counted.a: $(B)/libdmm.a
	@echo "  OBJCOPY $@"
	$(Q)$(OBJCOPY) $(foreach f,malloc calloc realloc strdup, \
	  --redefine-sym $f=counted_$f) $< $@

$(B)/tests/test_alloc: $(B)/tests/test_alloc.o $(B)/libhelp.a $(B)/libvmm.a \
  $(B)/libdmm-counted.a
	@echo "  LINK    $@"
	$(Q)$(CC) $(ALL_LDFLAGS) -rdynamic -o $@ $^ $(PKG_LIBS) $(TEST_LIBS)

$(B)/bench/%: $(B)/tests/bench/%.o $(HELP)
	@echo "  LINK    $@"
	@mkdir -p $(@D)
	$(Q)$(CC) $(ALL_LDFLAGS) -o $@ $^ $(PKG_LIBS) $(TEST_LIBS)

# Any compiler: a fuzz target that runs the files it is given, and no others.
$(B)/fuzz/%: $(B)/tests/%.o $(B)/tests/fuzz_driver.o $(HELP)
	@echo "  LINK    $@"
	@mkdir -p $(@D)
	$(Q)$(CC) $(ALL_LDFLAGS) -o $@ $^ $(PKG_LIBS)

tests: $(TESTS)
test: $(TESTS)
	$(Q)for t in $(TESTS); do echo "  TEST    $$t"; $$t || exit 1; done

check:
	$(Q)scripts/check

benches: $(BENCHES)
bench: $(BENCHES)
	$(Q)scripts/bench $(BENCHES)

fuzz: $(FUZZERS)

# libFuzzer's own: build/libfuzzer/fuzz_NAME tests/corpus/NAME
fuzz-clang:
	$(Q)$(MAKE) --no-print-directory CC=$(CLANG) B=build/libfuzzer SANFLAGS= \
	  CFLAGS="-O1 -g $(subst fuzzer,fuzzer-no-link,$(FUZZFLAGS))" \
	  $(patsubst $(B)/fuzz/%,build/libfuzzer/%,$(FUZZERS))
build/libfuzzer/fuzz_%: build/libfuzzer/tests/fuzz_%.o $(HELP)
	@echo "  LINK    $@"
	$(Q)$(CLANG) $(FUZZFLAGS) -pthread -o $@ $^ $(PKG_LIBS)

-include tests/guests/guests.mk
guests:

install: all
	install -d $(addprefix $(DESTDIR)$(PREFIX)/,bin lib/pkgconfig include/dmm \
	  share/vpio/models share/man/man1)
	install -m 755 $(B)/vpio $(DESTDIR)$(PREFIX)/bin
	install -m 644 $(B)/libdmm.a $(DESTDIR)$(PREFIX)/lib
	sed 's,@PREFIX@,$(PREFIX),; s,@VERSION@,$(VERSION),' dmm/libdmm.pc.in \
	  >$(DESTDIR)$(PREFIX)/lib/pkgconfig/libdmm.pc
	install -m 644 $(addprefix dmm/,dmm.h cc.h diag.h trace.h replay.h) \
	  $(DESTDIR)$(PREFIX)/include/dmm
	install -m 644 $(wildcard models/*.yaml models/*.json) \
	  $(DESTDIR)$(PREFIX)/share/vpio/models
	install -m 644 docs/vpio.1 $(DESTDIR)$(PREFIX)/share/man/man1

clean:
	rm -rf build

format:
	clang-format-14 -i $(SOURCES)

help:
	@echo "make [all]     $(B)/vpio and $(B)/libdmm.a"
	@echo "make test      build and run the unit tests"
	@echo "make check     every test, as CI runs them (scripts/check)"
	@echo "make guests    the test guests"
	@echo "make bench     the benchmarks; they print cycles a step"
	@echo "make fuzz      fuzz targets for corpora; fuzz-clang: for libFuzzer"
	@echo "make install   into PREFIX ($(PREFIX)), below DESTDIR if given"
	@echo "make format    clang-format everything; clean: remove build/"
	@echo "Variables: SAN=1 (ASan, UBSan), CC=clang, V=1 (show commands), B=DIR"

-include $(shell find $(B) -name '*.d' 2>/dev/null)
