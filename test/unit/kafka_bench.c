/*
 * kafka_bench.c
 *	  How long Kafka's protocol takes: nanoseconds a request and a response.
 *
 *		make test/unit/kafka_bench && test/unit/kafka_bench
 *
 * It measures the processor's time on what a listener does all day: a Produce request with
 * one partition is taken apart, with or without its batch, and answered; a Fetch request is
 * taken apart, and a response encoded, for one and for a hundred partitions. There is
 * nothing that must be as fast as it was: machines differ.
 */
#include "c.h"

#include <time.h>

#include "kafka/kafka_default.h"
#include "kafka/kafka_frame.h"
#include "kafka/producer_batch.h"

#define ROOM		(1024 * 1024)
#define SECONDS		0.3

static char room[ROOM];
static char memory[ROOM];

static bool
no_more(KafkaArena *arena, size_t needed)
{
	return false;
}

static KafkaArena
new_arena(void)
{
	return (KafkaArena) {.next = memory, .end = memory + ROOM, .more = no_more};
}

static double
cpu_seconds(void)
{
	struct timespec t;

	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
	return t.tv_sec + t.tv_nsec / 1e9;
}

/* Do something for a while, and print how long it takes each time. */
static void
measure(const char *what, void (*run) (void))
{
	double		start = cpu_seconds();
	double		now;
	long		times = 0;

	do
	{
		for (int i = 0; i < 1000; i++)
			run();
		times += 1000;
		now = cpu_seconds();
	} while (now - start < SECONDS);
	printf("%-56s %8.0f ns\n", what, (now - start) / times * 1e9);
}

static void
must(bool good)
{
	if (good)
		return;
	printf("the benchmark is broken\n");
	exit(1);
}

/* ---- what is measured ------------------------------------------------------- */

static char frame[ROOM];		/* a request, without its size */
static size_t frame_length;
static int	partitions;			/* that it and its response have */
static char records[4096];		/* a batch, or bytes in place of one */
static int32 records_length;

static KafkaString
string_of(const char *text)
{
	return (KafkaString) {text, (int32) strlen(text)};
}

/* Encode a request into the frame. */
static void
set_frame(int key, int version, const void *body)
{
	const KafkaApi *api = pgt_kafka_api(key);
	KafkaRequestHeader header = {.request_api_key = key, .request_api_version = version, .correlation_id = 7,
	.client_id = string_of("benchmark")};
	KafkaWriter writer = {.next = frame, .end = frame + ROOM};

	must(pgt_kafka_encode(&writer, KAFKA_REQUEST_HEADER, pgt_kafka_api_request_header(api, version), &header));
	must(pgt_kafka_encode(&writer, api->request, version, body));
	frame_length = writer.size;
}

static void
make_batch(int count)
{
	char	   *end = records + RECORD_BATCH_HEADER_SIZE;
	static char value[100];
	Record		record = {.key = "key-12345", .key_length = 9, .value = value, .value_length = sizeof(value)};
	RecordBatchHeader header = {.record_count = count, .last_offset_delta = count - 1};

	for (int i = 0; i < count; i++)
		end = pgt_record_encode(end, &record, i, i);
	records_length = (int32) (end - records);
	header.length = records_length;
	pgt_record_batch_seal(records, &header);
}

static void
make_produce(int version)
{
	KafkaProduceRequestPartitionProduceData partition = {.index = 3, .records = {records, records_length}};
	KafkaProduceRequestTopicProduceData topic = {.name = string_of("orders"), .partition_data = {&partition, 1}};
	KafkaProduceRequest request = {.transactional_id = {NULL, -1}, .acks = -1, .timeout_ms = 30000, .topic_data = {&topic, 1}};

	set_frame(KAFKA_API_PRODUCE, version, &request);
}

static void
decode_request(void)
{
	KafkaArena	arena = new_arena();
	KafkaRequest request;

	must(pgt_kafka_request_decode(&request, &arena, frame, frame_length) == KAFKA_VERDICT_SERVE);
}

static void
decode_and_check(void)
{
	static const ProducerRules rules = {.max_length = PG_INT32_MAX, .min_timestamp = PG_INT64_MIN,
	.max_timestamp = PG_INT64_MAX, .allow_zstd = true, .walk_records = true};
	KafkaArena	arena = new_arena();
	KafkaRequest request;
	KafkaProduceRequest *body;
	ProducerBatch batch;
	const char *problem;

	must(pgt_kafka_request_decode(&request, &arena, frame, frame_length) == KAFKA_VERDICT_SERVE);
	body = request.body;
	must(pgt_producer_batch_check(&body->topic_data.items[0].partition_data.items[0].records, &rules, NULL, &batch, &problem) ==
		 KAFKA_ERROR_NONE);
}

static void
answer_produce(void)
{
	KafkaArena	arena = new_arena();
	KafkaWriter writer = {.next = room, .end = room + ROOM};
	KafkaProduceResponse response;
	KafkaProduceResponseTopicProduceResponse *topic = pgt_kafka_default_array(&arena, KAFKA_PRODUCE_RESPONSE_TOPIC_PRODUCE_RESPONSE, 1);

	pgt_kafka_default_struct(KAFKA_PRODUCE_RESPONSE, &response);
	response.responses.items = topic;
	response.responses.count = 1;
	topic->name = string_of("orders");
	topic->partition_responses.items = pgt_kafka_default_array(&arena, KAFKA_PRODUCE_RESPONSE_PARTITION_PRODUCE_RESPONSE, 1);
	topic->partition_responses.count = 1;
	topic->partition_responses.items[0].base_offset = 123456;
	must(pgt_kafka_frame_response(&writer, pgt_kafka_api(KAFKA_API_PRODUCE), 9, 7, &response));
}

static void
make_fetch(int count)
{
	static KafkaFetchRequestFetchPartition items[100];
	KafkaFetchRequestFetchTopic topic = {.partitions = {items, count}};
	KafkaFetchRequest request;

	partitions = count;
	pgt_kafka_default_struct(KAFKA_FETCH_REQUEST, &request);
	for (int i = 0; i < count; i++)
	{
		pgt_kafka_default_struct(KAFKA_FETCH_REQUEST_FETCH_PARTITION, &items[i]);
		items[i].partition = i;
		items[i].fetch_offset = 1000000 + i;
		items[i].partition_max_bytes = 1048576;
	}
	request.topics.items = &topic;
	request.topics.count = 1;
	set_frame(KAFKA_API_FETCH, 16, &request);
}

static bool
splice(KafkaWriter *writer, const KafkaRecords *r)
{
	return true;
}

static void
answer_fetch(void)
{
	KafkaArena	arena = new_arena();
	KafkaWriter writer = {.next = room, .end = room + ROOM, .splice = splice};
	KafkaFetchResponse response;
	KafkaFetchResponseFetchableTopicResponse *topic = pgt_kafka_default_array(&arena, KAFKA_FETCH_RESPONSE_FETCHABLE_TOPIC_RESPONSE, 1);

	pgt_kafka_default_struct(KAFKA_FETCH_RESPONSE, &response);
	response.responses.items = topic;
	response.responses.count = 1;
	topic->partitions.items = pgt_kafka_default_array(&arena, KAFKA_FETCH_RESPONSE_PARTITION_DATA, partitions);
	topic->partitions.count = partitions;
	for (int i = 0; i < partitions; i++)
		topic->partitions.items[i].records = (KafkaRecords) {.source = room, .length = 1048576};
	must(pgt_kafka_frame_response(&writer, pgt_kafka_api(KAFKA_API_FETCH), 16, 7, &response));
}

int
main(void)
{
	make_batch(1);
	make_produce(9);
	measure("decode a Produce v9 request, 1 partition", decode_request);
	measure("and check its batch of 1 record of 100 bytes", decode_and_check);
	make_batch(20);
	make_produce(9);
	measure("and of 20 records", decode_and_check);
	measure("fill and encode the response", answer_produce);
	make_fetch(1);
	measure("decode a Fetch v16 request, 1 partition", decode_request);
	measure("fill and encode the response", answer_fetch);
	make_fetch(100);
	measure("decode a Fetch v16 request, 100 partitions", decode_request);
	measure("fill and encode the response", answer_fetch);
	return 0;
}
