MODULE_big = cascade
# by hand, alphabetical: a wildcard links an empty library in a VPATH build
OBJS = \
	$(WIN32RES) \
	src/action.o \
	src/cache.o \
	src/capture.o \
	src/cascade.o \
	src/catalog.o \
	src/compose.o \
	src/ddl.o \
	src/declare.o \
	src/enforce.o \
	src/error.o \
	src/event.o \
	src/install.o \
	src/keep.o \
	src/keyset.o \
	src/options.o \
	src/orphan.o \
	src/pending.o \
	src/plan.o \
	src/portable.o \
	src/query.o \
	src/reference.o \
	src/resolve.o \
	src/tie.o \
	src/trigger.o \
	src/truncate.o \
	src/unique.o \
	src/verify.o \
	src/version.o
PGFILEDESC = "cascade - ORM-style cascades kept by the server"
PG_CPPFLAGS = -I$(srcdir)/src

EXTENSION = cascade
DATA = cascade--1.0.sql

# install comes first and uninstall last, the others in any order
REGRESS = \
	install \
	chinook \
	collation \
	compose \
	ddl \
	ddl_fresh \
	declare \
	delete \
	enforce \
	errors \
	errors_shapes \
	follow \
	foreign_table \
	forgery \
	keep \
	keys \
	many_to_many \
	many_to_one \
	mutual \
	one_to_one \
	options \
	orphan \
	orphan_directions \
	orphan_timing \
	orphan_when \
	partitioned \
	partitioned_many \
	polymorphic \
	privileges \
	propagate \
	selfref \
	selfref_many \
	settings \
	single_parent \
	statements \
	triggers \
	truncate \
	uninstall
ISOLATION = \
	cycle-vs-write \
	declare-vs-write \
	deferred-foreign-key \
	delete-vs-delete \
	enforce-contention \
	enforce-deadlock \
	enforce-deadlock2 \
	enforce-index \
	enforce-key-update \
	enforce-links \
	enforce-partitioned-1 \
	enforce-partitioned-2 \
	enforce-snapshot \
	enforce-snapshot-2 \
	enforce-snapshot-3 \
	enforce-take-along \
	insert-vs-delete \
	key-update-vs-write \
	many-delete-vs-link \
	many-keys \
	many-last-link \
	many-last-link-vs-add \
	many-last-referrer \
	many-last-referrer-vs-add \
	many-orphan-when-all \
	many-single-link \
	many-single-parent \
	many-source-vs-link \
	move-vs-delete \
	no-foreign-key \
	nullify-vs-write \
	orphan-deferred \
	orphan-immediate \
	orphan-nullified \
	orphan-when-all \
	other-foreign-keys \
	propagate-vs-update \
	serializable-cascade \
	three-levels \
	tree-vs-write \
	two-column-key \
	two-parents
ISOLATION_OPTS = --load-extension=cascade

# initdb refuses root, so TAP tests cannot run as root
ifneq ($(shell [ "$$(id -u)" = 0 ] || perl -MIPC::Run -e 'print 1' 2>/dev/null),)
TAP_TESTS = 1
else ifneq ($(filter installcheck,$(MAKECMDGOALS)),)
$(info TAP tests left out: they need IPC::Run and a user other than root)
endif
# root's "make check" leaves it without TAP_TESTS being set
EXTRA_CLEAN = tmp_check

PG_CONFIG ?= pg_config

# These install what is missing, PostgreSQL included, so they cannot wait for
# pg_config; every other goal is one of PGXS.
TOOL_GOALS = bench check demo setup stress
ifneq ($(filter $(TOOL_GOALS),$(MAKECMDGOALS)),)

.NOTPARALLEL:
.PHONY: $(MAKECMDGOALS)

setup:
	tools/setup
demo: setup
	@tools/with-server tools/demo
check:
	tools/setup tests
	@tools/with-server tools/check
bench:
	tools/setup tests
	@tools/with-server bench/run
stress:
	tools/setup tests
	@tools/with-server tools/stress $(TIME)

ifneq ($(filter-out $(TOOL_GOALS),$(MAKECMDGOALS)),)
$(filter-out $(TOOL_GOALS),$(MAKECMDGOALS)):
	$(MAKE) $@
endif

else

PGXS := $(wildcard $(shell $(PG_CONFIG) --pgxs 2>/dev/null))
ifeq ($(PGXS),)
$(error "$(PG_CONFIG)" finds no PGXS: install the server development files, or run "make setup")
endif
include $(PGXS)

# VPATH builds need the folder, and not every PGXS tracks headers
$(shell mkdir -p src)
$(OBJS) $(OBJS:.o=.bc): $(wildcard $(srcdir)/src/*.h)

# A test that no list names would never run.
UNLISTED = $(filter-out $(REGRESS),$(patsubst $(srcdir)/sql/%.sql,%,$(wildcard $(srcdir)/sql/*.sql))) \
	$(filter-out $(ISOLATION),$(patsubst $(srcdir)/specs/%.spec,%,$(wildcard $(srcdir)/specs/*.spec)))
.PHONY: listed
listed:
	@test -z "$(strip $(UNLISTED))" || { echo "not in REGRESS or ISOLATION: $(strip $(UNLISTED))" >&2; exit 1; }

endif
