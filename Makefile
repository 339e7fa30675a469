# pg_topics: PGXS build.  "make", "make install", "make installcheck" as usual;
# test/run does everything on a bare machine, "make unit" needs no server.

MODULE_big = pg_topics
OBJS = $(patsubst %.c,%.o,$(sort $(wildcard src/*.c src/*/*.c)))

EXTENSION = pg_topics
DATA = $(wildcard sql/pg_topics--*.sql)
# for extensions that bring partitioners
HEADERS = src/include/pg_topics.h
# pg_upgrade for a cluster with topics
SCRIPTS = bin/pg_topics_upgrade
PGFILEDESC = "pg_topics - topics, partitions and consumer groups"

# Resource manager id of our WAL records: 128 is PostgreSQL's experimental one.
# To run beside another extension that uses it: make PGT_RMGR_ID=<129..255>,
# the same for every server that reads the WAL.
PGT_RMGR_ID ?= 128

# the codecs of compression.type
CODEC_LIBS = -lz -lsnappy -llz4 -lzstd

PG_CFLAGS = -Wall -Wextra -Wno-unused-parameter -Wno-sign-compare -Wno-missing-field-initializers
PG_CPPFLAGS = -DPGT_RMGR_ID=$(PGT_RMGR_ID) -I$(srcdir)/src
# for tests: places where a process can be made to die, see src/util/fault_point.h, and a
# version to update to
ifdef FAULT_POINTS
PG_CPPFLAGS += -DPGT_FAULT_POINTS
DATA += $(wildcard test/update/*.sql)
endif
# our own functions win over ones of the same name that the server exports
SHLIB_LINK = -Wl,-Bsymbolic $(CODEC_LIBS)

REGRESS = $(patsubst test/sql/%.sql,%,$(sort $(wildcard test/sql/*.sql)))
ISOLATION = $(patsubst test/specs/%.spec,%,$(sort $(wildcard test/specs/*.spec)))
TEST_OPTS = --encoding=UTF8 --no-locale --inputdir=test --outputdir=. --temp-config=test/pg_topics.conf --temp-instance=./tmp_instance
REGRESS_OPTS = $(TEST_OPTS)
ISOLATION_OPTS = $(TEST_OPTS)
TAP_TESTS = 1
PROVE_TESTS = test/t/*.pl

EXTRA_CLEAN = test/unit/unit_test test/unit/key_map_test test/fuzz/fuzz_target test/fuzz/make_seeds tmp_instance

PG_CONFIG ?= pg_config
PGXS := $(shell $(PG_CONFIG) --pgxs)
include $(PGXS)

# PGXS follows no header dependencies
$(OBJS): $(wildcard src/*.h src/*/*.h)

UNIT_SRCS = test/unit/unit_test.c src/format/record_batch.c src/format/compression.c src/format/fnv1a.c src/format/murmur2.c

test/unit/unit_test: $(UNIT_SRCS) test/unit/batch_vectors.h $(wildcard src/*.h src/*/*.h)
	$(CC) $(CFLAGS) -Isrc -I$(shell $(PG_CONFIG) --includedir-server) -o $@ $(UNIT_SRCS) \
		-L$(shell $(PG_CONFIG) --pkglibdir) -L$(shell $(PG_CONFIG) --libdir) -lpgcommon -lpgport $(CODEC_LIBS)

# key_map.c calls the server's memory contexts, which its test brings along
test/unit/key_map_test: test/unit/key_map_test.c src/util/key_map.c src/util/key_map.h
	$(CC) $(CFLAGS) -Isrc -I$(shell $(PG_CONFIG) --includedir-server) -o $@ test/unit/key_map_test.c src/util/key_map.c \
		-L$(shell $(PG_CONFIG) --pkglibdir) -L$(shell $(PG_CONFIG) --libdir) -lpgcommon -lpgport -lcrypto

.PHONY: unit
unit: test/unit/unit_test test/unit/key_map_test
	test/unit/unit_test
	test/unit/key_map_test

# libFuzzer comes with clang; its first finding ends the run
FUZZ_SECONDS ?= 60
FUZZ_SRCS = src/format/record_batch.c src/format/compression.c src/format/murmur2.c src/format/segment_index.c src/format/recovery_point_format.c
FUZZ_CC ?= clang
FUZZ_CFLAGS = -g -O1 -fno-omit-frame-pointer -fno-sanitize-recover=undefined -Wno-ignored-attributes \
	-Isrc -I$(shell $(PG_CONFIG) --includedir-server)
FUZZ_LIBS = -L$(shell $(PG_CONFIG) --pkglibdir) -L$(shell $(PG_CONFIG) --libdir) -lpgcommon -lpgport $(CODEC_LIBS)

test/fuzz/fuzz_target: test/fuzz/fuzz_target.c $(FUZZ_SRCS) $(wildcard src/*.h src/*/*.h)
	$(FUZZ_CC) -fsanitize=fuzzer,address,undefined $(FUZZ_CFLAGS) -o $@ $< $(FUZZ_SRCS) $(FUZZ_LIBS)

test/fuzz/make_seeds: test/fuzz/make_seeds.c test/unit/batch_vectors.h $(FUZZ_SRCS) $(wildcard src/*.h src/*/*.h)
	$(FUZZ_CC) -fsanitize=address,undefined $(FUZZ_CFLAGS) -Itest/unit -o $@ $< $(FUZZ_SRCS) $(FUZZ_LIBS)

.PHONY: fuzz
fuzz: test/fuzz/fuzz_target test/fuzz/make_seeds
	test/fuzz/run $(FUZZ_SECONDS)
