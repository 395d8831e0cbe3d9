# rusm. `make` alone does everything, the first time lib/deps and configure included.
#
#   make            ./rusm, and ./librusm.a for programs that embed it, quickly: without link-time
#                   optimisation. `make rusm` leaves the library out
#   make RELEASE=1  both as they are shipped, with link-time optimisation
#   make quick      after a change: checks, unit tests and simulations, in less than a minute
#   make check      all tests of the release, sets up by itself; last line: "N passed, N failed"
#   make demo       two nodes on this machine, shown and explained
#   make install    the release; also uninstall, dist, clean, distclean (prefix, DESTDIR)
#   make figures    measures how fast a cluster forms, and a program is called; no verdict
#   make bench-peers  rusm's benches beside Erlang, ZeroMQ and NATS, which it installs; no verdict
#   make soak       twelve nodes and faults of all kinds, for an hour: SOAK=SECONDS SEED=NUMBER
#   make sim        the simulation of processes with 10,000 seeds; SEEDS=FIRST:LAST
#   make unit       also cmdtest, nettest, embed, fuzz, lint, sanitize (ASan: unit, cmdtest),
#                   threads (TSan: what has threads)
#   make limits     all limits, with their reasons
#   make format     clang-format in place; make tidy: clang-tidy
#   make compile_commands.json  for editors and language servers
#
# V=1 shows whole commands, CI=1 makes warnings errors. ONLY=PATTERN narrows check and its parts,
# and what is built for them, to programs whose path matches: `make cmdtest ONLY=attach`.
# FLAVOUR=debug builds for a debugger, without optimisation. DEPS=ask asks before packages are
# installed or libraries built, DEPS=no does neither and says what is missing.

.DEFAULT_GOAL := all
.DELETE_ON_ERROR:
.SECONDARY:
MAKEFLAGS += --no-builtin-rules --no-print-directory

# ---- config.mk: made when it is missing, and again when what makes it changes ----------------

no_config := clean distclean dist help
export DEPS
ifneq ($(filter-out $(no_config),$(or $(MAKECMDGOALS),all)),)
include config.mk
# The cache that it points to may have been emptied since.
ifneq ($(DEPS_PREFIX),)
ifeq ($(wildcard $(DEPS_PREFIX)/lib)$(MAKE_RESTARTS),)
config.mk: remake
endif
endif
endif

config.mk: lib/config.mk.in configure.ac
	@set -e; args=; if test -x config.status; then args=$$(./config.status --config); fi; \
	case $$args in *--with-deps* | *--without-deps*) ;; *) lib/deps >/dev/null ;; esac; \
	autoconf; eval "set -- $$args"; ./configure -q "$$@"

.PHONY: remake
remake:

# ---- flavours, each with everything of its own in build/FLAVOUR --------------------------------

# dev links without link-time optimisation: a changed line is built in a few seconds. What is
# shipped is measured, installed and checked.
shipped := check demo install figures bench-peers soak
FLAVOUR ?= $(if $(RELEASE)$(filter $(shipped),$(MAKECMDGOALS)),release,dev)
OUT := build/$(FLAVOUR)

WARNINGS := -Wall -Wextra -Wshadow -Wconversion -Wmissing-prototypes -Wstrict-prototypes -Wvla \
    $(if $(CI),-Werror)
COMMON_CFLAGS := -std=gnu11 -D_GNU_SOURCE -Ilib $(WARNINGS) -fno-common -pthread

ifeq ($(FLAVOUR),asan)
FLAVOUR_CFLAGS := -O1 -g -fno-omit-frame-pointer -fsanitize=address,undefined \
    -fno-sanitize-recover=all
FLAVOUR_LDFLAGS := -fsanitize=address,undefined
TEST_CFLAGS := $(FLAVOUR_CFLAGS)
else ifeq ($(FLAVOUR),tsan)
FLAVOUR_CFLAGS := -O1 -g -fno-omit-frame-pointer -fsanitize=thread
FLAVOUR_LDFLAGS := -fsanitize=thread
TEST_CFLAGS := $(FLAVOUR_CFLAGS)
else ifeq ($(FLAVOUR),release)
FLAVOUR_CFLAGS = $(CFLAGS) $(HARDENED) -ffunction-sections -fdata-sections $(NOWHERE) $(LTO)
FLAVOUR_LDFLAGS = $(CFLAGS) $(NOWHERE) $(LTO) -Wl,--gc-sections -Wl,-z,relro,-z,now
TEST_CFLAGS := -O1 -g
else ifeq ($(FLAVOUR),dev)
FLAVOUR_CFLAGS = $(CFLAGS) $(HARDENED)
FLAVOUR_LDFLAGS = $(CFLAGS) -fno-lto -Wl,-z,relro,-z,now
TEST_CFLAGS := -O1 -g
else ifeq ($(FLAVOUR),debug)
FLAVOUR_CFLAGS := -O0 -g3 -fno-omit-frame-pointer
FLAVOUR_LDFLAGS := -fno-lto
TEST_CFLAGS := $(FLAVOUR_CFLAGS)
else ifeq ($(FLAVOUR),fuzz)
CC := $(or $(CLANG),clang)
# gcc says so by itself: nothing of ours keeps memory that was given back.
FLAVOUR_CFLAGS := -O1 -g -fno-omit-frame-pointer -fsanitize=fuzzer-no-link,address,undefined \
    -fno-sanitize-recover=all -U__SANITIZE_ADDRESS__ -D__SANITIZE_ADDRESS__=1
TEST_CFLAGS := $(FLAVOUR_CFLAGS)
else ifeq ($(FLAVOUR),coverage)
CC := $(or $(CLANG),clang)
FLAVOUR_CFLAGS := -O1 -g -fsanitize=fuzzer-no-link -fprofile-instr-generate -fcoverage-mapping
TEST_CFLAGS := $(FLAVOUR_CFLAGS)
else
$(error FLAVOUR is dev, release, debug, asan, tsan, fuzz or coverage, not $(FLAVOUR))
endif

HARDENED := -U_FORTIFY_SOURCE -D_FORTIFY_SOURCE=2 -fstack-protector-strong
# Debug information without this machine's paths.
NOWHERE = -ffile-prefix-map=$(CURDIR)=. $(if $(DEPS_PREFIX),-ffile-prefix-map=$(DEPS_PREFIX)=deps)
COMPILE = $(CC) $(COMMON_CFLAGS) $(FLAVOUR_CFLAGS) $(CPPFLAGS) $(LIB_CFLAGS)
COMPILE_TEST = $(CC) $(COMMON_CFLAGS) $(TEST_CFLAGS) -Itest $(CMOCKA_CFLAGS) $(LIB_CFLAGS)
# The public functions stay visible to behaviours that lib:FILE.so loads.
LINK = $(CC) $(FLAVOUR_LDFLAGS) $(LDFLAGS) -Wl,--export-dynamic-symbol='rusm_*'
LIBS = $(LIB_ARCHIVES) $(LIB_SYSTEM)

# ---- what there is -----------------------------------------------------------------------------

LIB_SOURCES := $(wildcard lib/*/*.c)
CMD_SOURCES := $(wildcard cmd/*.c cmd/*/*.c)
LIB_OBJECTS := $(LIB_SOURCES:%.c=$(OUT)/%.o) $(OUT)/lib/gateway/assets.o
CMD_OBJECTS := $(CMD_SOURCES:%.c=$(OUT)/%.o)

# Tests: unit and sim programs see the rooms, embed programs rusm.h alone; all of them may use
# test/doubles. What test/net has in C are tools of its bats files.
UNIT_SOURCES := $(wildcard test/unit/*.c test/sim/*.c)
FUZZ_SOURCES := $(wildcard test/fuzz/*.c)
EMBED_SOURCES := $(wildcard test/embed/*.c)
FIGURE_SOURCES := $(wildcard test/figures/*.c)
NET_SOURCES := $(wildcard test/net/*.c)
DOUBLE_SOURCES := $(wildcard test/doubles/*.c)
UNITS := $(UNIT_SOURCES:%.c=$(OUT)/%)
EMBEDS := $(EMBED_SOURCES:%.c=$(OUT)/%)
FIGURES := $(FIGURE_SOURCES:%.c=$(OUT)/%)
NETS := $(NET_SOURCES:%.c=$(OUT)/%)
FUZZES := $(FUZZ_SOURCES:%.c=$(if $(filter coverage,$(FLAVOUR)),$(OUT),build/fuzz)/%)
DOUBLE_OBJECTS := $(DOUBLE_SOURCES:%.c=$(OUT)/%.o)
DOUBLES := $(OUT)/doubles.a
# Behaviours for lib:, which the tests of the command load; made like a user's, whatever the
# flavour.
EXAMPLES := $(patsubst %.c,build/%.so,$(wildcard test/example/*.c))
BATS_FILES := $(wildcard test/cmd/*.bats)
# For the thread sanitizer: what has threads and can be slow. (The hostile tests measure memory.)
THREADED := $(shell grep -l pthread_create $(UNIT_SOURCES)) $(EMBED_SOURCES)
THREADED_FILES := test/cmd/node.bats test/cmd/cluster.bats test/cmd/schedulers.bats
NET_FILES := $(wildcard test/net/*.bats) test/net/soak
CHECKS := $(shell find test/check -type f -perm -u+x 2>/dev/null | sort)
MANUALS := $(wildcard man/*.[1-8])
# What Grafana and Prometheus may load.
DATA := $(wildcard lib/prometheus/rusm-*)

RUSM := $(OUT)/rusm
ROOMS := $(OUT)/rooms.a

# What was built last is at the top too: the same file under another name.
.PHONY: all rusm librusm.a
all: rusm librusm.a
rusm librusm.a: %: $(OUT)/%
	@test $@ -ef $< || ln -f $< $@ 2>/dev/null || cp -f $< $@

# Those of these files that ONLY leaves, as test/run does.
narrow = $(if $(ONLY),$(foreach f,$1,$(if $(findstring $(ONLY),$f),$f)),$1)
# What the tests that are left need besides themselves.
WANTS_RUSM = $(if $(call narrow,$(BATS_FILES) $(NET_FILES) test/check/synopsis \
    test/check/examples),$(RUSM))
WANTS_EXAMPLES = $(if $(call narrow,$(BATS_FILES)),$(EXAMPLES))
WANTS_LIBRARY = $(if $(call narrow,test/check/examples),$(OUT)/librusm.a)
WANTS_NETS = $(if $(call narrow,$(NET_FILES)),$(NETS))

# ---- quiet lines -------------------------------------------------------------------------------

ifeq ($(V),1)
quiet =
else
quiet = @printf '  %-5s %s\n' '$1' '$(2:build/%=%)';
endif

# ---- building ----------------------------------------------------------------------------------

# Objects are made again when the flags change, and only then.
$(OUT)/flags: force
	@mkdir -p $(@D)
	@printf '%s\n' '$(subst ','\'',$(COMPILE) $(LINK) $(LIBS))' | cmp -s - $@ || \
	printf '%s\n' '$(subst ','\'',$(COMPILE) $(LINK) $(LIBS))' >$@
.PHONY: force
force:

$(LIB_SOURCES:%.c=$(OUT)/%.o) $(CMD_OBJECTS): $(OUT)/%.o: %.c $(OUT)/flags
	$(call quiet,CC,$<)mkdir -p $(@D) && $(COMPILE) -MMD -MP -c -o $@ $<

# The page that a node serves becomes part of it.
$(OUT)/lib/gateway/assets.o: lib/gateway/assets.S $(wildcard lib/gateway/page/*) $(OUT)/flags
	$(call quiet,AS,$<)mkdir -p $(@D) && $(CC) -c -o $@ $<

TEST_OBJECTS := $(UNITS:=.o) $(EMBEDS:=.o) $(FIGURES:=.o) $(NETS:=.o) $(DOUBLE_OBJECTS) \
    $(if $(filter fuzz coverage,$(FLAVOUR)),$(FUZZES:=.o))
$(TEST_OBJECTS): $(OUT)/%.o: %.c $(OUT)/flags
	$(call quiet,CC,$<)mkdir -p $(@D) && $(COMPILE_TEST) -MMD -MP -c -o $@ $<

# Archives of this folder are thin: they name the objects and hold none.
# The list of members is a prerequisite of its own, so that a removed file leaves the archive.
$(OUT)/rooms.list: force
	@mkdir -p $(@D)
	@echo $(LIB_OBJECTS) | cmp -s - $@ || echo $(LIB_OBJECTS) >$@

$(ROOMS): $(LIB_OBJECTS) $(OUT)/rooms.list
	$(call quiet,AR,$@)rm -f $@ && $(AR) rcsT $@ $(LIB_OBJECTS)

$(RUSM): $(CMD_OBJECTS) $(ROOMS) $(LIB_ARCHIVES)
	$(call quiet,LINK,$@)$(LINK) -o $@ $(CMD_OBJECTS) -Wl,--whole-archive $(ROOMS) \
	    -Wl,--no-whole-archive $(LIBS)

# For embedders: one object, the libraries within, with no names in it but rusm_*.
$(OUT)/librusm.a: $(ROOMS) $(LIB_ARCHIVES)
	$(call quiet,AR,$@)$(CC) -r -nostdlib -fno-lto -o $(OUT)/librusm.o -Wl,--whole-archive \
	    $(ROOMS) -Wl,--no-whole-archive $(LIB_ARCHIVES) && \
	$(OBJCOPY) --wildcard --keep-global-symbol='rusm_*' -R '.gnu.lto_*' \
	    -R '.gnu.debuglto_*' $(OUT)/librusm.o && \
	rm -f $@ && $(AR) rcs $@ $(OUT)/librusm.o

# What the test programs share, compiled once. A program takes what it uses of it.
$(DOUBLES): $(DOUBLE_OBJECTS)
	$(call quiet,AR,$@)rm -f $@ && $(AR) rcsT $@ $^

# ---- test programs -----------------------------------------------------------------------------

# A unit test may name linker flags in a comment line: " * LINK: -Wl,--wrap=malloc".
$(UNITS): $(OUT)/%: $(OUT)/%.o $(DOUBLES) $(ROOMS)
	$(call quiet,LINK,$@)$(CC) $(TEST_CFLAGS) -fno-lto -o $@ $< $(DOUBLES) $(ROOMS) \
	    $(LIBS) $(CMOCKA_LIBS) $(shell sed -n 's,^ \* LINK: \([^*]*\).*,\1,p' $*.c)

ifeq ($(FLAVOUR),release)
EMBED_LIBS = $(OUT)/librusm.a
else
EMBED_LIBS = $(ROOMS) $(LIB_ARCHIVES)
endif
$(EMBEDS) $(FIGURES): $(OUT)/%: $(OUT)/%.o $(DOUBLES) $(EMBED_LIBS)
	$(call quiet,LINK,$@)$(CC) $(TEST_CFLAGS) -fno-lto -o $@ $< $(DOUBLES) \
	    $(EMBED_LIBS) $(CMOCKA_LIBS) $(EMBED_SYSTEM)

# Those that are clients of another kind see the rooms.
NETS_WITHIN := $(OUT)/test/net/http3
$(NETS_WITHIN): %: %.o $(DOUBLES) $(ROOMS)
	$(call quiet,LINK,$@)$(CC) $(TEST_CFLAGS) -fno-lto -o $@ $< $(DOUBLES) $(ROOMS) $(LIBS)

$(filter-out $(NETS_WITHIN),$(NETS)): %: %.o $(OUT)/commands.a $(EMBED_LIBS)
	$(call quiet,LINK,$@)$(CC) $(TEST_CFLAGS) -fno-lto -o $@ $^ $(EMBED_SYSTEM)

# A fuzz target may stand in for functions of a room or command: its own are linked first, so their
# objects stay in the archives.
$(OUT)/commands.a: $(filter-out $(OUT)/cmd/main.o,$(CMD_OBJECTS))
	$(call quiet,AR,$@)rm -f $@ && $(AR) rcsT $@ $^

$(FUZZES): %: %.o $(DOUBLES) $(OUT)/commands.a $(ROOMS)
	$(call quiet,LINK,$@)$(CC) $(TEST_CFLAGS) -fsanitize=fuzzer -o $@ $< $(DOUBLES) $(OUT)/commands.a \
	    $(ROOMS) $(LIBS)

$(EXAMPLES): build/%.so: %.c lib/rusm.h lib/rusm_client.h config.mk
	$(call quiet,CC,$@)mkdir -p $(@D) && $(CC) $(CFLAGS) $(WARNINGS) -Ilib -shared -fPIC -o $@ $<

.PHONY: unit-programs embed-programs net-programs fuzz-programs examples programs flavour
unit-programs: $(call narrow,$(UNITS))
embed-programs: $(call narrow,$(EMBEDS))
net-programs: $(WANTS_NETS)
fuzz-programs: $(call narrow,$(FUZZES))
examples: $(EXAMPLES)
# What make check runs of this flavour.
programs: unit-programs embed-programs net-programs $(WANTS_RUSM) $(WANTS_LIBRARY) $(WANTS_EXAMPLES)
ifeq ($(FLAVOUR),tsan)
flavour: $(if $(call narrow,$(THREADED_FILES)),$(RUSM)) $(call narrow,$(THREADED:%.c=$(OUT)/%))
else
flavour: unit-programs embed-programs $(if $(call narrow,$(BATS_FILES)),$(RUSM) $(EXAMPLES))
endif
# Nothing to do is nothing to say.
unit-programs embed-programs net-programs fuzz-programs examples programs flavour: ; @:

# ---- checking ----------------------------------------------------------------------------------

# What is missing of the test tools is installed, once.
.PHONY: tools
tools:
ifneq ($(TOOLS_MISSING),)
	@lib/deps --check
	@./config.status -q --recheck >/dev/null && ./config.status -q
endif

JOBS ?= $(shell nproc 2>/dev/null || echo 2)
run = test/run --jobs $(JOBS)$(if $(ONLY), --only '$(ONLY)') --flavour $(FLAVOUR)
sub = +$(MAKE) $(if $(filter -j% --jobserver%,$(MAKEFLAGS)),,-j$(JOBS)) FLAVOUR=$(FLAVOUR)

# A program that does not build is a failure among the others, not the end: hence -k.
.PHONY: check quick unit cmdtest nettest embed fuzz lint sanitize threads demo
check: tools
	-$(sub) -k programs
	-$(sub) -k FLAVOUR=asan flavour
	-$(sub) -k FLAVOUR=tsan flavour
	$(if $(FUZZES),-$(sub) -k FLAVOUR=fuzz fuzz-programs)
	@# Long ones first, so that at the end no slot waits long for the other.
	@$(run) $(CHECKS) $(UNITS) $(NET_FILES) $(BATS_FILES) $(FUZZES) $(EMBEDS) \
	    --flavour asan $(BATS_FILES) \
	    --flavour tsan $(THREADED_FILES) $(THREADED:%.c=build/tsan/%) \
	    --flavour asan $(UNITS:build/$(FLAVOUR)/%=build/asan/%) \
	    $(EMBEDS:build/$(FLAVOUR)/%=build/asan/%)

quick: tools
	$(sub) unit-programs $(WANTS_RUSM)
	@$(run) $(filter-out %/examples,$(CHECKS)) $(UNITS)

unit: tools
	$(sub) unit-programs
	@$(run) $(UNITS)

cmdtest: tools
	$(sub) $(RUSM) examples
	@$(run) $(BATS_FILES)

nettest: tools
	$(sub) $(RUSM) net-programs
	@$(run) $(NET_FILES)

# The simulations with more seeds than `check` takes: SEEDS=FIRST:LAST.
.PHONY: sim
sim: tools
	$(sub) unit-programs
	@SIM_SEEDS=$(or $(SEEDS),1:10000) test/run --jobs $(JOBS) --flavour $(FLAVOUR) \
	    $(filter %/sim/actor %/sim/bridge,$(UNITS))

# What nettest has of it takes less than a minute.
.PHONY: soak
soak: tools
	$(sub) $(RUSM)
	@RUSM=$(CURDIR)/$(RUSM) SOAK=$(or $(SOAK),3600) test/net/soak

# Measures and prints; no verdict.
.PHONY: figures
figures:
	$(sub) $(RUSM) $(FIGURES)
	@for f in $(FIGURES); do RUSM=$(CURDIR)/$(RUSM) $$f || exit 1; done

# In turn, ROUNDS times (3), for TIME seconds a phase (5), with WORKERS (4).
.PHONY: bench-peers
bench-peers:
	$(sub) $(RUSM)
	@RUSM=$(CURDIR)/$(RUSM) CC='$(CC)' test/peers/run $(or $(TIME),5) $(or $(WORKERS),4)

embed: tools
	$(sub) embed-programs
	@$(run) $(EMBEDS)

# For hours: make fuzz FUZZ_SECONDS=3600 (each).
fuzz: tools
	$(sub) FLAVOUR=fuzz fuzz-programs
	@$(run) $(FUZZES)

# Which lines the fuzz targets reach with their corpora and what was found since; needs Debian's
# llvm.
.PHONY: fuzz-coverage
fuzz-coverage: tools
	$(sub) FLAVOUR=coverage fuzz-programs
	@CLANG='$(CLANG)' test/fuzz/coverage $(FUZZES:build/fuzz/%=build/coverage/%)

sanitize: tools
	$(sub) FLAVOUR=asan flavour
	@$(run) --flavour asan $(UNITS:build/$(FLAVOUR)/%=build/asan/%) $(BATS_FILES)

threads: tools
	$(sub) FLAVOUR=tsan flavour
	@$(run) --flavour tsan $(THREADED:%.c=build/tsan/%) $(THREADED_FILES)

lint: tools
	$(sub) $(WANTS_RUSM) $(WANTS_LIBRARY)
	@$(run) $(CHECKS)

demo:
	$(sub) all
	@RUSM=$(RUSM) sh test/demo

.PHONY: limits
limits:
	@test/check/limits --list

.PHONY: format tidy
C_FILES = $(wildcard lib/*.h lib/*/*.[ch] cmd/*.[ch] cmd/*/*.[ch] test/*/*.[ch])
format: tools
	@$(CLANG_FORMAT) -i $(C_FILES)

tidy:
	$(or $(CLANG_TIDY),clang-tidy) --quiet $(LIB_SOURCES) $(CMD_SOURCES) -- \
	    $(COMMON_CFLAGS) $(LIB_CFLAGS)

# Each source with how it is compiled in this flavour.
TEST_SOURCES = $(UNIT_SOURCES) $(EMBED_SOURCES) $(FIGURE_SOURCES) $(NET_SOURCES) $(DOUBLE_SOURCES) \
    $(FUZZ_SOURCES)
comma := ,
json_string = "$(subst ",\",$(subst \,\\,$1))"
json_entry = $(if $(filter $(firstword $(LIB_SOURCES)),$2),,$(comma)){"directory": \
    $(call json_string,$(CURDIR)), "file": "$2", "command": $(call json_string,$1 -c $2)}
compile_commands.json: force
	$(file >$@,[)$(foreach f,$(LIB_SOURCES) $(CMD_SOURCES), \
	    $(file >>$@,$(call json_entry,$(COMPILE),$f)))$(foreach f,$(TEST_SOURCES), \
	    $(file >>$@,$(call json_entry,$(COMPILE_TEST),$f)))$(file >>$@,])@true

# ---- installing --------------------------------------------------------------------------------

INSTALL ?= install
unit_dir = $(prefix)/lib/systemd/system
users_dir = $(prefix)/lib/sysusers.d
SHELLS := bash zsh fish
completion_bash = $(prefix)/share/bash-completion/completions/rusm
completion_zsh = $(prefix)/share/zsh/site-functions/_rusm
completion_fish = $(prefix)/share/fish/vendor_completions.d/rusm.fish
data_dir = $(datadir)/rusm
man_dir = $(DESTDIR)$(mandir)/man$(subst .,,$(suffix $1))

.PHONY: install uninstall dist clean distclean help
install: all
	$(INSTALL) -d $(DESTDIR)$(bindir) $(DESTDIR)$(includedir) $(DESTDIR)$(libdir)/pkgconfig
	$(INSTALL) -m 755 rusm $(DESTDIR)$(bindir)/rusm
	$(INSTALL) -m 644 lib/rusm.h lib/rusm_client.h $(DESTDIR)$(includedir)/
	$(INSTALL) -m 644 librusm.a $(DESTDIR)$(libdir)/librusm.a
	printf '%s\n' 'prefix=$(prefix)' 'exec_prefix=$(exec_prefix)' 'libdir=$(libdir)' \
	    'includedir=$(includedir)' '' 'Name: rusm' \
	    'Description: distributed Erlang for any program, over QUIC' 'Version: $(VERSION)' \
	    'Libs: -L$${libdir} -lrusm $(EMBED_SYSTEM)' 'Cflags: -I$${includedir}' \
	    >$(DESTDIR)$(libdir)/pkgconfig/rusm.pc
	$(foreach m,$(MANUALS),$(INSTALL) -d $(call man_dir,$m) && \
	    $(INSTALL) -m 644 $m $(call man_dir,$m)/ &&) true
	$(INSTALL) -d $(DESTDIR)$(unit_dir) $(DESTDIR)$(users_dir)
	sed 's,@bindir@,$(bindir),' lib/systemd/rusm@.service.in >$(DESTDIR)$(unit_dir)/rusm@.service
	chmod 644 $(DESTDIR)$(unit_dir)/rusm@.service
	$(INSTALL) -m 644 lib/systemd/rusm.conf $(DESTDIR)$(users_dir)/rusm.conf
	$(foreach s,$(SHELLS),$(INSTALL) -d $(DESTDIR)$(dir $(completion_$s)) && \
	    ./rusm completion $s >$(DESTDIR)$(completion_$s) && \
	    chmod 644 $(DESTDIR)$(completion_$s) &&) true
	$(INSTALL) -d $(DESTDIR)$(data_dir)
	$(INSTALL) -m 644 $(DATA) $(DESTDIR)$(data_dir)/

uninstall:
	rm -f $(DESTDIR)$(bindir)/rusm $(addprefix $(DESTDIR)$(includedir)/,rusm.h rusm_client.h) \
	    $(DESTDIR)$(libdir)/librusm.a $(DESTDIR)$(libdir)/pkgconfig/rusm.pc \
	    $(DESTDIR)$(unit_dir)/rusm@.service $(DESTDIR)$(users_dir)/rusm.conf \
	    $(foreach s,$(SHELLS),$(DESTDIR)$(completion_$s)) \
	    $(foreach m,$(MANUALS),$(call man_dir,$m)/$(notdir $m)) \
	    $(addprefix $(DESTDIR)$(data_dir)/,$(notdir $(DATA)))
	rmdir $(DESTDIR)$(data_dir) 2>/dev/null || true

# A tarball of what is committed, with configure made; the same bytes for the same commit.
dist:
	@autoconf
	@set -e; v=$$(sed -n 's/^#define RUSM_VERSION "\(.*\)"$$/\1/p' lib/rusm.h); \
	d=build/dist/rusm-$$v; rm -rf build/dist; mkdir -p $$d; \
	git archive HEAD | tar -x -C $$d; cp configure $$d/; \
	tar -C build/dist --sort=name --owner=0 --group=0 --numeric-owner \
	    --mtime="@$$(git log -1 --format=%ct)" -c rusm-$$v | gzip -9n >rusm-$$v.tar.gz; \
	rm -rf build/dist; echo rusm-$$v.tar.gz

clean:
	rm -rf build rusm librusm.a compile_commands.json

distclean: clean
	rm -rf configure configure~ config.mk config.log config.status autom4te.cache rusm-*.tar.gz

help:
	@sed -n '2,/^$$/s/^# \{0,1\}//p' Makefile

-include $(wildcard $(LIB_OBJECTS:.o=.d) $(CMD_OBJECTS:.o=.d) $(DOUBLE_OBJECTS:.o=.d) \
    $(UNITS:=.d) $(EMBEDS:=.d) $(FIGURES:=.d) $(NETS:=.d) $(FUZZES:=.d))
