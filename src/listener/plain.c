/*
 * plain.c
 *	  Connections without TLS: the bytes of the socket are those of the frames.
 */
#include "postgres.h"

#include <sys/sendfile.h>
#include <sys/socket.h>
#include <sys/uio.h>

#include "listener/plain.h"

static ssize_t
receive(Connection *connection, const struct iovec *parts, int count)
{
	return readv(connection->source.fd, parts, count);
}

static ssize_t
send_bytes(void *arg, const void *bytes, size_t length, bool more)
{
	return send(((Connection *) arg)->source.fd, bytes, length, MSG_NOSIGNAL | (more ? MSG_MORE : 0));
}

static ssize_t
send_from_file(void *arg, int fd, off_t *offset, size_t length)
{
	return sendfile(((Connection *) arg)->source.fd, fd, offset, length);
}

const ConnectionTransport pgt_plain_transport = {
	.receive = receive,
	.output = {.send = send_bytes, .send_file = send_from_file}
};
