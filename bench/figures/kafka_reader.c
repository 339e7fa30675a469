/*
 * kafka_reader.c
 *	  A Kafka consumer that throws the records away, and a client beside it.
 *
 * What a consumer's client does with records takes more time than to give them to it.  This one
 * looks at no more of them than the offsets of batches, so what it measures is the server.
 *
 *	  kafka_reader ADDRESS PORT TOPIC PARTITIONS
 *
 * reads all records of a topic by one connection, and prints megabytes a second, and of the answers that another
 * connection has got meanwhile, to requests for the versions of APIs, the milliseconds of the middle one, of the worst
 * thousandth and of the worst one.
 */
#include <arpa/inet.h>
#include <endian.h>
#include <netdb.h>
#include <netinet/tcp.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#define PARTITION_BYTES	(1024 * 1024)	/* as Kafka's consumers ask by default */
#define FETCH_BYTES		(50 * 1024 * 1024)
#define PARTITIONS_MAX	1024
#define ANSWERS_MAX		(1 << 24)
#define PAUSE_US		200		/* of the client beside */

static struct addrinfo *server;
static volatile bool finished = false;
static float *answers;
static int	answer_count = 0;

static void
die(const char *what)
{
	perror(what);
	exit(1);
}

static double
now_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec * 1e3 + now.tv_nsec / 1e6;
}

/* ---- frames ------------------------------------------------------------------ */

typedef struct Frame
{
	char		bytes[64 * 1024];
	size_t		length;
} Frame;

static void
put(Frame *frame, const void *bytes, size_t length)
{
	memcpy(frame->bytes + frame->length, bytes, length);
	frame->length += length;
}

static void
put16(Frame *frame, int16_t value)
{
	uint16_t	bytes = htobe16(value);

	put(frame, &bytes, 2);
}

static void
put32(Frame *frame, int32_t value)
{
	uint32_t	bytes = htobe32(value);

	put(frame, &bytes, 4);
}

static void
put64(Frame *frame, int64_t value)
{
	uint64_t	bytes = htobe64(value);

	put(frame, &bytes, 8);
}

static int16_t
get16(const char **at)
{
	uint16_t	value;

	memcpy(&value, *at, 2);
	*at += 2;
	return (int16_t) be16toh(value);
}

static int32_t
get32(const char **at)
{
	uint32_t	value;

	memcpy(&value, *at, 4);
	*at += 4;
	return (int32_t) be32toh(value);
}

static int64_t
get64(const char **at)
{
	uint64_t	value;

	memcpy(&value, *at, 8);
	*at += 8;
	return (int64_t) be64toh(value);
}

static void
begin_frame(Frame *frame, int key, int version)
{
	frame->length = 4;
	put16(frame, key);
	put16(frame, version);
	put32(frame, 1);
	put16(frame, -1);
}

static int
connect_to_server(void)
{
	int			fd = socket(server->ai_family, SOCK_STREAM, 0);
	int			on = 1;

	if (fd < 0 || connect(fd, server->ai_addr, server->ai_addrlen) != 0)
		die("could not connect");
	setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
	return fd;
}

static void
receive(int fd, char *bytes, size_t length)
{
	while (length > 0)
	{
		ssize_t		count = read(fd, bytes, length);

		if (count <= 0)
			die("the server has closed the connection");
		bytes += count;
		length -= count;
	}
}

/* Send a frame, and read the answer into room for so many bytes; returns its length without the size. */
static size_t
call(int fd, Frame *frame, char *room, size_t size)
{
	uint32_t	length = htobe32(frame->length - 4);

	memcpy(frame->bytes, &length, 4);
	if (write(fd, frame->bytes, frame->length) != (ssize_t) frame->length)
		die("write");
	receive(fd, (char *) &length, 4);
	length = be32toh(length);
	if (length > size)
		die("an answer is too large");
	receive(fd, room, length);
	return length;
}

/* ---- the client beside --------------------------------------------------------- */

static void *
ask_beside(void *unused __attribute__((unused)))
{
	int			fd = connect_to_server();
	char	   *room = malloc(65536);

	while (!finished && answer_count < ANSWERS_MAX)
	{
		Frame		frame;
		double		before;

		begin_frame(&frame, 18, 0);
		before = now_ms();
		call(fd, &frame, room, 65536);
		answers[answer_count++] = now_ms() - before;
		usleep(PAUSE_US);
	}
	return NULL;
}

static int
compare(const void *a, const void *b)
{
	float		left = *(const float *) a;
	float		right = *(const float *) b;

	return left < right ? -1 : left > right;
}

/* ---- the consumer -------------------------------------------------------------- */

static int64_t next_offset[PARTITIONS_MAX];
static int64_t last_offset[PARTITIONS_MAX]; /* the high watermark */

/* Go over a partition's batches. */
static void
take_records(int partition, const char *at, int32_t length)
{
	const char *end = at + length;

	while (end - at >= 61)
	{
		const char *p = at;
		int64_t		base = get64(&p);
		int32_t		size = get32(&p);

		if (size > end - p)
			break;
		p = at + 23;
		next_offset[partition] = base + get32(&p) + 1;
		at += 12 + size;
	}
}

/* One Fetch; returns how many bytes of records it has got. */
static int64_t
fetch(int fd, const char *topic, int partitions, char *room, size_t size)
{
	static Frame frame;
	int64_t		total = 0;
	const char *at = room + 4 + 4;

	begin_frame(&frame, 1, 4);
	put32(&frame, -1);
	put32(&frame, 500);
	put32(&frame, 1);
	put32(&frame, FETCH_BYTES);
	put(&frame, "", 1);
	put32(&frame, 1);
	put16(&frame, strlen(topic));
	put(&frame, topic, strlen(topic));
	put32(&frame, partitions);
	for (int i = 0; i < partitions; i++)
	{
		put32(&frame, i);
		put64(&frame, next_offset[i]);
		put32(&frame, PARTITION_BYTES);
	}
	call(fd, &frame, room, size);
	for (int32_t topics = get32(&at); topics > 0; topics--)
	{
		at += get16(&at);
		for (int32_t n = get32(&at); n > 0; n--)
		{
			int32_t		partition = get32(&at);
			int32_t		aborted;
			int32_t		length;

			if (get16(&at) != 0)
				die("a partition has an error");
			last_offset[partition] = get64(&at);
			at += 8;
			aborted = get32(&at);
			at += aborted > 0 ? 16 * aborted : 0;
			length = get32(&at);
			take_records(partition, at, length);
			at += length > 0 ? length : 0;
			total += length > 0 ? length : 0;
		}
	}
	return total;
}

static bool
is_at_end(int partitions)
{
	for (int i = 0; i < partitions; i++)
		if (next_offset[i] < last_offset[i])
			return false;
	return true;
}

int
main(int argc, char **argv)
{
	struct addrinfo hints = {.ai_socktype = SOCK_STREAM};
	size_t		size = FETCH_BYTES + 16 * 1024 * 1024;
	char	   *room = malloc(size);
	int			partitions = argc == 5 ? atoi(argv[4]) : 0;
	pthread_t	beside;
	double		began;
	double		took;
	int64_t		total = 0;
	int			fd;

	if (partitions <= 0 || partitions > PARTITIONS_MAX || getaddrinfo(argv[1], argv[2], &hints, &server) != 0)
	{
		fprintf(stderr, "usage: kafka_reader ADDRESS PORT TOPIC PARTITIONS\n");
		return 2;
	}
	answers = malloc(ANSWERS_MAX * sizeof(float));
	fd = connect_to_server();
	pthread_create(&beside, NULL, ask_beside, NULL);
	began = now_ms();
	do
		total += fetch(fd, argv[3], partitions, room, size);
	while (!is_at_end(partitions));
	took = now_ms() - began;
	finished = true;
	pthread_join(beside, NULL);
	qsort(answers, answer_count, sizeof(float), compare);
	printf("%.1f %.3f %.3f %.3f\n", total / took / 1e3, answers[answer_count / 2],
		   answers[(int) (answer_count * 0.999)], answers[answer_count - 1]);
	return 0;
}
