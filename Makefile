# pg_topics: PGXS build.  "make", "make install", "make installcheck" as usual;
# test/run does everything on a bare machine, "make unit" needs no server.

# Where this file is: with "make -f" from another directory, what is built goes there.
# Patterns are looked up here and their files named as seen from here, as PGXS does.
top := $(dir $(firstword $(MAKEFILE_LIST)))
found = $(patsubst $(top)%,%,$(sort $(wildcard $(addprefix $(top),$(1)))))

MODULE_big = pg_topics
OBJS = $(patsubst %.c,%.o,$(call found,src/*.c src/*/*.c))
ifneq ($(top),./)
$(shell mkdir -p $(sort $(dir $(OBJS))) test/unit && ln -sfn $(top)expected expected)
endif

EXTENSION = pg_topics
DATA = $(call found,sql/pg_topics--*.sql)
# for extensions that bring partitioners
HEADERS = src/include/pg_topics.h
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
DATA += $(call found,test/update/*.sql)
endif
# our own functions win over ones of the same name that the server exports
SHLIB_LINK = -Wl,-Bsymbolic $(CODEC_LIBS)

REGRESS = $(patsubst test/sql/%.sql,%,$(call found,test/sql/*.sql))
ISOLATION = $(patsubst test/specs/%.spec,%,$(call found,test/specs/*.spec))
TEST_OPTS = --encoding=UTF8 --no-locale --inputdir=$(top)test --outputdir=. --temp-config=$(top)test/pg_topics.conf --temp-instance=./tmp_instance
REGRESS_OPTS = $(TEST_OPTS)
ISOLATION_OPTS = $(TEST_OPTS)
TAP_TESTS = 1
PROVE_TESTS = test/t/*.pl

EXTRA_CLEAN = test/unit/unit_test test/unit/key_map_test test/fuzz/fuzz_target test/fuzz/make_seeds tmp_instance

PG_CONFIG ?= pg_config
PGXS := $(shell $(PG_CONFIG) --pgxs)
include $(PGXS)

HEADER_FILES := $(wildcard $(top)src/*.h $(top)src/*/*.h)

# PGXS follows no header dependencies
$(OBJS): $(HEADER_FILES)

UNIT_SRCS = $(addprefix $(top),test/unit/unit_test.c src/format/record_batch.c src/format/compression.c src/format/fnv1a.c src/format/murmur2.c)

test/unit/unit_test: $(UNIT_SRCS) $(top)test/unit/batch_vectors.h $(HEADER_FILES)
	$(CC) $(CFLAGS) -I$(top)src -I$(shell $(PG_CONFIG) --includedir-server) -o $@ $(UNIT_SRCS) \
		-L$(shell $(PG_CONFIG) --pkglibdir) -L$(shell $(PG_CONFIG) --libdir) -lpgcommon -lpgport $(CODEC_LIBS) -lm

# key_map.c calls the server's memory contexts, which its test brings along
KEY_MAP_SRCS = $(addprefix $(top),test/unit/key_map_test.c src/util/key_map.c)

test/unit/key_map_test: $(KEY_MAP_SRCS) $(HEADER_FILES)
	$(CC) $(CFLAGS) -I$(top)src -I$(shell $(PG_CONFIG) --includedir-server) -o $@ $(KEY_MAP_SRCS) \
		-L$(shell $(PG_CONFIG) --pkglibdir) -L$(shell $(PG_CONFIG) --libdir) -lpgcommon -lpgport -lcrypto -lm

.PHONY: unit
unit: test/unit/unit_test test/unit/key_map_test
	test/unit/unit_test
	test/unit/key_map_test

# libFuzzer comes with clang; its first finding ends the run
FUZZ_SECONDS ?= 60
FUZZ_SRCS = $(addprefix $(top)src/format/,record_batch.c compression.c murmur2.c segment_index.c recovery_point_format.c)
FUZZ_CC ?= clang
FUZZ_CFLAGS = -g -O1 -fno-omit-frame-pointer -fno-sanitize-recover=undefined -Wno-ignored-attributes \
	-I$(top)src -I$(shell $(PG_CONFIG) --includedir-server)
FUZZ_LIBS = -L$(shell $(PG_CONFIG) --pkglibdir) -L$(shell $(PG_CONFIG) --libdir) -lpgcommon -lpgport $(CODEC_LIBS) -lm

test/fuzz/fuzz_target: $(top)test/fuzz/fuzz_target.c $(FUZZ_SRCS) $(HEADER_FILES)
	$(FUZZ_CC) -fsanitize=fuzzer,address,undefined $(FUZZ_CFLAGS) -o $@ $< $(FUZZ_SRCS) $(FUZZ_LIBS)

test/fuzz/make_seeds: $(top)test/fuzz/make_seeds.c $(top)test/unit/batch_vectors.h $(FUZZ_SRCS) $(HEADER_FILES)
	$(FUZZ_CC) -fsanitize=address,undefined $(FUZZ_CFLAGS) -I$(top)test/unit -o $@ $< $(FUZZ_SRCS) $(FUZZ_LIBS)

.PHONY: fuzz
fuzz: test/fuzz/fuzz_target test/fuzz/make_seeds
	$(top)test/fuzz/run $(FUZZ_SECONDS)
