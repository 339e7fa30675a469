# pg_topics: PGXS build.  "make", "make install", "make installcheck" as usual;
# test/run does everything on a bare machine, "make unit" needs no server.

# The sources may lie elsewhere than where make builds (a VPATH build, as Debian's
# pg_buildext makes them): found gives the files there that match some patterns.
top := $(dir $(firstword $(MAKEFILE_LIST)))
found = $(patsubst $(top)%,%,$(sort $(wildcard $(addprefix $(top),$(1)))))

MODULE_big = pg_topics
OBJS := $(patsubst %.c,%.o,$(call found,src/*.c src/*/*.c src/*/*/*.c))
ifneq ($(top),./)
$(shell mkdir -p $(sort $(dir $(OBJS))) test/unit && ln -sfn $(top)expected expected)
endif

EXTENSION = pg_topics
# and commands for psql, for \i
DATA = $(call found,sql/pg_topics--*.sql sql/pg_topics.psql)
# for extensions that bring partitioners
HEADERS = src/include/pg_topics.h
# pg_upgrade for a cluster with topics
SCRIPTS = bin/pg_topics_upgrade
PGFILEDESC = "pg_topics - topics, partitions and consumer groups"

# Resource manager id of our WAL records, free in PostgreSQL's list:
# https://wiki.postgresql.org/wiki/CustomWALResourceManagers
# To run beside another extension that uses it: make PGT_RMGR_ID=<128..255>,
# the same for every server that reads the WAL (docs/operations.md).
PGT_RMGR_ID ?= 187

# the codecs of compression.type
CODEC_LIBS = -lz -lsnappy -llz4 -lzstd

PG_CFLAGS = -Wall -Wextra -Wno-unused-parameter -Wno-sign-compare -Wno-missing-field-initializers
# with "make CC=clang COPT=-Werror" on a server that was built with gcc, whose options and
# attributes clang does not all know
ifneq ($(findstring clang,$(CC)),)
PG_CFLAGS += -Wno-unknown-warning-option -Wno-ignored-optimization-argument -Wno-unused-command-line-argument \
	-Wno-ignored-attributes
endif
# the version is stated in pg_topics.control
PGT_VERSION := $(shell sed -n "s/^default_version = '\(.*\)'/\1/p" $(top)pg_topics.control)
PG_CPPFLAGS = -DPGT_RMGR_ID=$(PGT_RMGR_ID) -DPGT_VERSION='"$(PGT_VERSION)"' -I$(srcdir)/src
# for tests: places where a process can be made to die, see src/util/fault_point.h, and a
# version to update to
ifdef FAULT_POINTS
PG_CPPFLAGS += -DPGT_FAULT_POINTS
DATA += $(call found,test/update/*.sql)
endif
# our own functions win over ones of the same name that the server exports
SHLIB_LINK = -Wl,-Bsymbolic $(CODEC_LIBS) $(if $(filter openssl,$(with_ssl)),-lssl -lcrypto)
# for tests: src/util/fault_allocation.c
ifdef FAULT_POINTS
comma := ,
SHLIB_LINK += $(patsubst %,-Wl$(comma)--wrap=%,dsm_create shm_mq_attach shm_mq_receive \
	RegisterDynamicBackgroundWorker palloc palloc0 repalloc pstrdup MemoryContextAlloc MemoryContextAllocZero \
	MemoryContextAllocHuge MemoryContextAllocExtended MemoryContextStrdup AllocSetContextCreateInternal hash_search \
	SearchSysCache1 StartTransactionCommand BeginInternalSubTransaction)
endif

REGRESS = $(patsubst test/sql/%.sql,%,$(call found,test/sql/*.sql))
ISOLATION = $(patsubst test/specs/%.spec,%,$(call found,test/specs/*.spec))
# "make installcheck TEST_SERVER=" tests on the server that PGHOST and PGPORT name, which
# must have the settings of test/pg_topics.conf
TEST_SERVER = --temp-config=$(top)test/pg_topics.conf --temp-instance=./tmp_instance
TEST_OPTS = --encoding=UTF8 --no-locale --inputdir=$(top)test --outputdir=. $(TEST_SERVER)
REGRESS_OPTS = $(TEST_OPTS)
ISOLATION_OPTS = $(TEST_OPTS)
TAP_TESTS = 1
PROVE_TESTS = test/t/*.pl

EXTRA_CLEAN = test/unit/unit_test test/unit/key_map_test test/unit/key_index_test test/unit/share_window_test test/unit/kafka_test test/unit/kafka_bench test/unit/subxact_stack_test test/unit/producer_sequence_test test/unit/kafka_txn_test test/unit/output_test test/unit/classic_group_test test/unit/assignor_test test/unit/modern_group_test test/unit/share_members_test test/fuzz/fuzz_target test/fuzz/make_seeds tmp_instance

PG_CONFIG ?= pg_config
PGXS := $(shell $(PG_CONFIG) --pgxs)
include $(PGXS)

# PGXS does not know manual pages
.PHONY: install-man uninstall-man
install: install-man
install-man:
	$(MKDIR_P) '$(DESTDIR)$(mandir)/man1'
	$(INSTALL_DATA) $(addsuffix .1,$(addprefix $(top),$(SCRIPTS))) '$(DESTDIR)$(mandir)/man1/'
uninstall: uninstall-man
uninstall-man:
	rm -f $(patsubst %,'$(DESTDIR)$(mandir)/man1/%.1',$(notdir $(SCRIPTS)))

HEADER_FILES := $(wildcard $(top)src/*.h $(top)src/*/*.h $(top)src/*/*/*.h)
UNIT_HEADERS := $(HEADER_FILES) $(wildcard $(top)test/unit/*.h)

# PGXS follows no header dependencies
$(OBJS): $(HEADER_FILES)
src/init.o src/util/format_version.o src/util/sql_version.o: pg_topics.control

UNIT_SRCS = $(addprefix $(top),test/unit/unit_test.c src/format/record_batch.c src/format/compression.c src/format/fnv1a.c src/format/key_placement.c src/format/key_shape.c src/format/murmur2.c src/format/segment_index.c)

test/unit/unit_test: $(UNIT_SRCS) $(UNIT_HEADERS)
	$(CC) $(CFLAGS) -I$(top)src -I$(shell $(PG_CONFIG) --includedir-server) -o $@ $(UNIT_SRCS) \
		-L$(shell $(PG_CONFIG) --pkglibdir) -L$(shell $(PG_CONFIG) --libdir) -lpgcommon -lpgport $(CODEC_LIBS) -lm

# key_map.c calls the server's memory contexts, which its test brings along
KEY_MAP_SRCS = $(addprefix $(top),test/unit/key_map_test.c src/util/key_map.c)

test/unit/key_map_test: $(KEY_MAP_SRCS) $(UNIT_HEADERS)
	$(CC) $(CFLAGS) -I$(top)src -I$(shell $(PG_CONFIG) --includedir-server) -o $@ $(KEY_MAP_SRCS) \
		-L$(shell $(PG_CONFIG) --pkglibdir) -L$(shell $(PG_CONFIG) --libdir) -lpgcommon -lpgport -lcrypto -lm

# the vectors that Kafka wrote, see test/kafka/README.md
KAFKA_SRCS = $(call found,src/kafka/*.c) src/format/record_batch.c src/format/compression.c
KAFKA_TEST_SRCS = $(addprefix $(top),test/unit/kafka_test.c $(KAFKA_SRCS))

test/unit/kafka_test: $(KAFKA_TEST_SRCS) $(UNIT_HEADERS)
	$(CC) $(CFLAGS) -I$(top)src -I$(shell $(PG_CONFIG) --includedir-server) -o $@ $(KAFKA_TEST_SRCS) \
		-L$(shell $(PG_CONFIG) --pkglibdir) -L$(shell $(PG_CONFIG) --libdir) -lpgcommon -lpgport $(CODEC_LIBS) -lm

OUTPUT_SRCS = $(addprefix $(top),test/unit/output_test.c src/listener/output.c)

test/unit/output_test: $(OUTPUT_SRCS) $(UNIT_HEADERS)
	$(CC) $(CFLAGS) -I$(top)src -I$(shell $(PG_CONFIG) --includedir-server) -o $@ $(OUTPUT_SRCS) \
		-L$(shell $(PG_CONFIG) --pkglibdir) -L$(shell $(PG_CONFIG) --libdir) -lpgcommon -lpgport -lm

SUBXACT_STACK_SRCS = $(addprefix $(top),test/unit/subxact_stack_test.c src/util/subxact_stack.c src/util/subxact_version.c)

test/unit/subxact_stack_test: $(SUBXACT_STACK_SRCS) $(UNIT_HEADERS)
	$(CC) $(CFLAGS) -I$(top)src -I$(shell $(PG_CONFIG) --includedir-server) -o $@ $(SUBXACT_STACK_SRCS) \
		-L$(shell $(PG_CONFIG) --pkglibdir) -L$(shell $(PG_CONFIG) --libdir) -lpgcommon -lpgport -lm

PRODUCER_SEQUENCE_SRCS = $(addprefix $(top),test/unit/producer_sequence_test.c src/format/producer_sequence.c)

test/unit/producer_sequence_test: $(PRODUCER_SEQUENCE_SRCS) $(UNIT_HEADERS)
	$(CC) $(CFLAGS) -I$(top)src -I$(shell $(PG_CONFIG) --includedir-server) -o $@ $(PRODUCER_SEQUENCE_SRCS) \
		-L$(shell $(PG_CONFIG) --pkglibdir) -L$(shell $(PG_CONFIG) --libdir) -lpgcommon -lpgport -lm

KAFKA_TXN_SRCS = $(addprefix $(top),test/unit/kafka_txn_test.c src/log/kafka_txn_table.c src/format/kafka_txn_file_format.c)

test/unit/kafka_txn_test: $(KAFKA_TXN_SRCS) $(HEADER_FILES)
	$(CC) $(CFLAGS) -I$(top)src -I$(shell $(PG_CONFIG) --includedir-server) -o $@ $(KAFKA_TXN_SRCS) \
		-L$(shell $(PG_CONFIG) --pkglibdir) -L$(shell $(PG_CONFIG) --libdir) -lpgcommon -lpgport -lm

SHARE_WINDOW_SRCS = $(addprefix $(top),test/unit/share_window_test.c src/share/share_window.c)

test/unit/share_window_test: $(SHARE_WINDOW_SRCS) $(HEADER_FILES)
	$(CC) $(CFLAGS) -I$(top)src -I$(shell $(PG_CONFIG) --includedir-server) -o $@ $(SHARE_WINDOW_SRCS) \
		-L$(shell $(PG_CONFIG) --pkglibdir) -L$(shell $(PG_CONFIG) --libdir) -lpgcommon -lpgport -lm

CLASSIC_GROUP_SRCS = $(addprefix $(top),test/unit/classic_group_test.c $(call found,src/coordinator/classic_*.c) src/coordinator/id_table.c src/coordinator/deadline.c \
	src/coordinator/consumer_protocol.c)

test/unit/classic_group_test: $(CLASSIC_GROUP_SRCS) $(UNIT_HEADERS)
	$(CC) $(CFLAGS) -I$(top)src -I$(shell $(PG_CONFIG) --includedir-server) -o $@ $(CLASSIC_GROUP_SRCS) \
		-L$(shell $(PG_CONFIG) --pkglibdir) -L$(shell $(PG_CONFIG) --libdir) -lpgcommon -lpgport -lm

# the assignments that Kafka made, see test/kafka/README.md
ASSIGNOR_SRCS = $(addprefix $(top),test/unit/assignor_test.c src/format/compression.c) $(call found,src/coordinator/assignor*.c)

test/unit/assignor_test: $(ASSIGNOR_SRCS) $(UNIT_HEADERS)
	$(CC) $(CFLAGS) -I$(top)src -I$(shell $(PG_CONFIG) --includedir-server) -o $@ $(ASSIGNOR_SRCS) \
		-L$(shell $(PG_CONFIG) --pkglibdir) -L$(shell $(PG_CONFIG) --libdir) -lpgcommon -lpgport $(CODEC_LIBS) -lm

# groups call the server's memory contexts, which their test brings along
MODERN_GROUP_SRCS = $(addprefix $(top),test/unit/modern_group_test.c) $(filter-out %share_members.c,$(call found,src/coordinator/*.c))

test/unit/modern_group_test: $(MODERN_GROUP_SRCS) $(UNIT_HEADERS)
	$(CC) $(CFLAGS) -I$(top)src -I$(shell $(PG_CONFIG) --includedir-server) -o $@ $(MODERN_GROUP_SRCS) \
		-L$(shell $(PG_CONFIG) --pkglibdir) -L$(shell $(PG_CONFIG) --libdir) -lpgcommon -lpgport -lm

SHARE_MEMBERS_SRCS = $(addprefix $(top),test/unit/share_members_test.c src/coordinator/share_members.c src/coordinator/id_table.c \
	src/coordinator/deadline.c)

test/unit/share_members_test: $(SHARE_MEMBERS_SRCS) $(UNIT_HEADERS)
	$(CC) $(CFLAGS) -I$(top)src -I$(shell $(PG_CONFIG) --includedir-server) -o $@ $(SHARE_MEMBERS_SRCS) \
		-L$(shell $(PG_CONFIG) --pkglibdir) -L$(shell $(PG_CONFIG) --libdir) -lpgcommon -lpgport -lm

# no test: make test/unit/kafka_bench && test/unit/kafka_bench
test/unit/kafka_bench: $(top)test/unit/kafka_bench.c $(KAFKA_TEST_SRCS) $(UNIT_HEADERS)
	$(CC) $(CFLAGS) -I$(top)src -I$(shell $(PG_CONFIG) --includedir-server) -o $@ $< $(wordlist 2,100,$(KAFKA_TEST_SRCS)) \
		-L$(shell $(PG_CONFIG) --pkglibdir) -L$(shell $(PG_CONFIG) --libdir) -lpgcommon -lpgport $(CODEC_LIBS) -lm

KEY_INDEX_SRCS = $(addprefix $(top),test/unit/key_index_test.c src/format/key_index_page.c src/format/key_shape.c)

test/unit/key_index_test: $(KEY_INDEX_SRCS) $(UNIT_HEADERS)
	$(CC) $(CFLAGS) -I$(top)src -I$(shell $(PG_CONFIG) --includedir-server) -o $@ $(KEY_INDEX_SRCS) \
		-L$(shell $(PG_CONFIG) --pkglibdir) -L$(shell $(PG_CONFIG) --libdir) -lpgcommon -lpgport -lm

.PHONY: unit
unit: test/unit/unit_test test/unit/key_map_test test/unit/key_index_test test/unit/share_window_test test/unit/subxact_stack_test test/unit/producer_sequence_test test/unit/kafka_txn_test test/unit/output_test test/unit/classic_group_test test/unit/assignor_test test/unit/modern_group_test test/unit/share_members_test test/unit/kafka_test
	test/unit/unit_test
	test/unit/key_map_test
	test/unit/key_index_test
	test/unit/share_window_test
	test/unit/subxact_stack_test
	test/unit/producer_sequence_test
	test/unit/kafka_txn_test
	test/unit/output_test
	test/unit/classic_group_test
	test/unit/assignor_test $(top)test/kafka/assignors.zst
	test/unit/modern_group_test
	test/unit/share_members_test
	$(top)src/kafka/make_messages --check
	test/unit/kafka_test $(top)test/kafka/vectors.zst
	test/unit/release.pl

# the archive for PGXN, of the last commit
PGXN_VERSION = $(shell sed -n 's/^   "version": "\(.*\)".*/\1/p' META.json)
.PHONY: dist
dist:
	git archive --format=zip --prefix=pg_topics-$(PGXN_VERSION)/ -o pg_topics-$(PGXN_VERSION).zip HEAD

# the direction of includes and calls; calls are known once the library has been built
.PHONY: layout
layout:
	test/layout

# libFuzzer comes with clang; its first finding ends the run
FUZZ_SECONDS ?= 60
FUZZ_SRCS = $(addprefix $(top)src/format/,record_batch.c compression.c murmur2.c segment_index.c recovery_point_format.c \
	producer_sequence.c producer_file_format.c kafka_txn_file_format.c) \
	$(addprefix $(top),$(call found,src/kafka/*.c))
FUZZ_CC ?= clang
FUZZ_CFLAGS = -g -O1 -fno-omit-frame-pointer -fno-sanitize-recover=undefined -Wno-ignored-attributes \
	-I$(top)src -I$(shell $(PG_CONFIG) --includedir-server)
FUZZ_LIBS = -L$(shell $(PG_CONFIG) --pkglibdir) -L$(shell $(PG_CONFIG) --libdir) -lpgcommon -lpgport $(CODEC_LIBS) -lm

FUZZ_TARGET_SRCS = $(addprefix $(top)test/fuzz/,fuzz_target.c fuzz_kafka.c) $(FUZZ_SRCS)

test/fuzz/fuzz_target: $(FUZZ_TARGET_SRCS) $(top)test/fuzz/fuzz_kafka.h $(HEADER_FILES)
	$(FUZZ_CC) -fsanitize=fuzzer,address,undefined $(FUZZ_CFLAGS) -o $@ $(FUZZ_TARGET_SRCS) $(FUZZ_LIBS)

test/fuzz/make_seeds: $(top)test/fuzz/make_seeds.c $(top)test/unit/batch_vectors.h $(FUZZ_SRCS) $(HEADER_FILES)
	$(FUZZ_CC) -fsanitize=address,undefined $(FUZZ_CFLAGS) -I$(top)test/unit -o $@ $< $(FUZZ_SRCS) $(FUZZ_LIBS)

.PHONY: fuzz
fuzz: test/fuzz/fuzz_target test/fuzz/make_seeds
	$(top)test/fuzz/run $(FUZZ_SECONDS)
