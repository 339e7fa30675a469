/*
 * tls.c
 *	  TLS of connections, with the server's certificate and settings.
 *
 * Plain and TLS connections come in by the same port.  The first byte tells them apart: 0x16
 * begins a TLS handshake, and would else be the size of a frame of 369 MB.
 *
 *	  opened ---> first byte ---> plain		transport as it was
 *							 \--> 0x16		handshake ---> frames
 *
 * OpenSSL makes the handshake by itself while it is asked to read, so to the connection it is no more
 * than bytes that do not come yet; the limits of time are those of a frame.  Where OpenSSL wants to
 * write before it can read on, the connection waits for room in the socket, as one does that is stalled.
 *
 * The context, with certificate, key, authorities, revocation lists, ciphers and protocol versions,
 * is made by the server's own function, be_tls_init(), so that everything is as for SQL.  The
 * function keeps it to itself, but calls a hook with it first; that hook is taken for the call.  In
 * a background worker nothing else uses that context.  With ssl_sni (19) no hook is called, and so
 * there is no TLS here.  A key with a passphrase can
 * be read here only with ssl_passphrase_command_supports_reload.
 *
 * Client certificates are asked for where ssl_ca_file is set, and need not be sent.  One that is
 * sent and not good ends the handshake.  What OpenSSL finds is all that counts.  The server's callback,
 * which the context has, describes what is wrong for the server's log, from 16 on.  It must not be called
 * here: it throws, through OpenSSL, if it does not know an attribute of the name in the certificate.  That
 * ends a backend, which has one client, and would end the listener.
 *
 * Without OpenSSL in the server there is no TLS: the functions are here, and offer nothing.
 *
 * Memory: OpenSSL's own; freed with the connection.
 */
#include "postgres.h"

#include "listener/tls.h"
#include "postmaster/postmaster.h"
#include "util/server_port.h"
#include "utils/memutils.h"

#ifdef USE_OPENSSL

#include <openssl/err.h>
#include <openssl/ssl.h>
#include <sys/socket.h>
#include <sys/uio.h>

#define HANDSHAKE_BYTE	0x16
#define RECORD_BYTES	16384	/* that a TLS record holds */

/* What OpenSSL has of a connection, in transport_state. */
typedef struct TlsState
{
	SSL		   *ssl;
	bool		established;
	bool		broken;			/* OpenSSL must not be asked any more */
	char	   *common_name;
} TlsState;

static SSL_CTX *context = NULL;

/* The transport of connections without TLS, as the connection had it. */
static const ConnectionTransport *plain = NULL;

/* ---- the server's settings -------------------------------------------------- */

static openssl_tls_init_hook_typ previous_hook = NULL;
static SSL_CTX *offered = NULL;

/* The hook of be_tls_init(): remember the context that it fills. */
static void
catch_context(SSL_CTX *made, bool is_server_start)
{
	offered = made;
	if (previous_hook != NULL)
		previous_hook(made, is_server_start);
}

/* A context of our own with the server's settings; NULL if they are no good, which is logged. */
static SSL_CTX *
make_context(void)
{
	int			result;

	offered = NULL;
	previous_hook = openssl_tls_init_hook;
	openssl_tls_init_hook = catch_context;
	PG_TRY();
	{
		result = be_tls_init(false);
	}
	PG_FINALLY();
	{
		openssl_tls_init_hook = previous_hook;
	}
	PG_END_TRY();
	if (result != 0 || offered == NULL)
		return NULL;
	SSL_CTX_up_ref(offered);
	return offered;
}

void
pgt_tls_load(void)
{
	SSL_CTX    *made = EnableSSL ? make_context() : NULL;

	if (EnableSSL && made == NULL)
	{
		ereport(LOG,
				(errcode(ERRCODE_CONFIG_FILE_ERROR),
				 errmsg("could not load the server's certificate for clients of Kafka"),
				 context == NULL ? errdetail("They cannot use TLS.") :
				 errdetail("What was loaded before stays in use.")));
		return;
	}
	if (context != NULL)
		SSL_CTX_free(context);
	context = made;
}

/* ---- errors ----------------------------------------------------------------- */

/* OpenSSL has failed: close the connection, and set errno. */
static void
fail(Connection *connection, TlsState *tls)
{
	unsigned long code = ERR_get_error();
	char		text[256] = "unknown reason";

	if (code != 0)
		ERR_error_string_n(code, text, sizeof(text));
	ERR_clear_error();
	tls->broken = true;
	ereport(DEBUG1,
			(errcode(ERRCODE_PROTOCOL_VIOLATION),
			 errmsg_internal("TLS of a Kafka connection failed: %s", text)));
	pgt_connection_close(connection, tls->established ? "TLS has failed" : "the TLS handshake has failed");
	errno = EPROTO;
}

/*
 * OpenSSL has not done what it was asked for: what that means to the connection, as recv(2) or send(2)
 * would say it.
 */
static ssize_t
explain(Connection *connection, TlsState *tls, int result)
{
	int			save_errno = errno;

	switch (SSL_get_error(tls->ssl, result))
	{
		case SSL_ERROR_WANT_WRITE:
			connection->stalled = true;
			errno = EAGAIN;
			return -1;
		case SSL_ERROR_WANT_READ:
			errno = EAGAIN;
			return -1;
		case SSL_ERROR_ZERO_RETURN:
			return 0;
		case SSL_ERROR_SYSCALL:
			tls->broken = true;
			ERR_clear_error();
			errno = save_errno != 0 ? save_errno : ECONNRESET;
			return -1;
		default:
			fail(connection, tls);
			return -1;
	}
}

/* ---- certificates ----------------------------------------------------------- */

/* Set the common name of a certificate that was verified.  One with a zero byte in it counts as none. */
static void
take_common_name(Connection *connection, TlsState *tls)
{
	X509	   *certificate = SSL_get_peer_certificate(tls->ssl);
	X509_NAME  *subject;
	int			length;

	if (certificate == NULL)
		return;
	subject = X509_get_subject_name(certificate);
	length = X509_NAME_get_text_by_NID(subject, NID_commonName, NULL, 0);
	if (length > 0 && SSL_get_verify_result(tls->ssl) == X509_V_OK)
	{
		char	   *name = MemoryContextAllocZero(connection->memory, length + 1);

		X509_NAME_get_text_by_NID(subject, NID_commonName, name, length + 1);
		if (strlen(name) == length)
			tls->common_name = name;
	}
	X509_free(certificate);
}

/* ---- the transport ---------------------------------------------------------- */

/* Read into one part. */
static ssize_t
read_part(Connection *connection, TlsState *tls, void *bytes, size_t length)
{
	int			got;

	if (tls->broken)
	{
		errno = EPROTO;
		return -1;
	}
	ERR_clear_error();
	errno = 0;
	got = SSL_read(tls->ssl, bytes, (int) Min(length, (size_t) INT_MAX));
	if (got <= 0)
		return explain(connection, tls, got);
	if (!tls->established)
	{
		tls->established = true;
		take_common_name(connection, tls);
	}
	return got;
}

static ssize_t
tls_receive(Connection *connection, const struct iovec *parts, int count)
{
	TlsState   *tls = connection->transport_state;
	ssize_t		total = 0;

	for (int i = 0; i < count; i++)
	{
		size_t		done = 0;

		while (done < parts[i].iov_len)
		{
			ssize_t		got = read_part(connection, tls, (char *) parts[i].iov_base + done, parts[i].iov_len - done);

			if (got <= 0)
				return total > 0 ? total : got;
			done += got;
			total += got;
		}
	}
	return total;
}

/* Send one record. */
static ssize_t
send_record(Connection *connection, TlsState *tls, const void *bytes, size_t length)
{
	int			sent;

	if (tls->broken)
	{
		errno = EPROTO;
		return -1;
	}
	ERR_clear_error();
	errno = 0;
	/* OpenSSL wants to be asked again for no less than before: more does not come from one record */
	sent = SSL_write(tls->ssl, bytes, (int) Min(length, RECORD_BYTES));
	return sent > 0 ? sent : explain(connection, tls, sent);
}

/* Send records, as many as the socket takes: what comes of a file was read for all of them. */
static ssize_t
tls_send(void *arg, const void *bytes, size_t length, bool more)
{
	Connection *connection = arg;
	size_t		total = 0;

	while (total < length)
	{
		ssize_t		sent = send_record(connection, connection->transport_state, (const char *) bytes + total, length - total);

		if (sent <= 0)
			return total > 0 ? total : sent;
		total += sent;
	}
	return total;
}

static bool
tls_pending(Connection *connection)
{
	TlsState   *tls = connection->transport_state;

	return !tls->broken && SSL_pending(tls->ssl) > 0;
}

/* Say goodbye, as far as the socket takes it, and free what there is. */
static void
tls_close(Connection *connection)
{
	TlsState   *tls = connection->transport_state;

	if (tls->established && !tls->broken)
		(void) SSL_shutdown(tls->ssl);
	SSL_free(tls->ssl);
	ERR_clear_error();
}

static const ConnectionTransport tls_transport = {
	.receive = tls_receive,
	.output = {.send = tls_send},
	.pending = tls_pending,
	.close = tls_close
};

/* ---- the first byte --------------------------------------------------------- */

/* OpenSSL has looked at a certificate: that is the verdict. */
static int
keep_verdict(int is_good, X509_STORE_CTX *store)
{
	return is_good;
}

/* From now on the connection is one with TLS. */
static bool
begin(Connection *connection)
{
	SSL		   *ssl = SSL_new(context);
	TlsState   *tls;

	if (ssl == NULL || SSL_set_fd(ssl, connection->source.fd) != 1)
	{
		if (ssl != NULL)
			SSL_free(ssl);
		errno = ENOMEM;
		return false;
	}
	SSL_set_accept_state(ssl);
	SSL_set_verify(ssl, SSL_get_verify_mode(ssl), keep_verdict);
	SSL_set_mode(ssl, SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
	tls = MemoryContextAllocZero(connection->memory, sizeof(TlsState));
	tls->ssl = ssl;
	connection->transport_state = tls;
	connection->transport = &tls_transport;
	return true;
}

static ssize_t
first_receive(Connection *connection, const struct iovec *parts, int count)
{
	unsigned char byte;
	ssize_t		got = recv(connection->source.fd, &byte, 1, MSG_PEEK);

	if (got <= 0)
		return got;
	if (byte != HANDSHAKE_BYTE || context == NULL)
		connection->transport = plain;
	else if (!begin(connection))
		return -1;
	return connection->transport->receive(connection, parts, count);
}

static ssize_t
first_send(void *arg, const void *bytes, size_t length, bool more)
{
	OutputSink	sink = plain->output;

	return sink.send(arg, bytes, length, more);
}

static const ConnectionTransport first_transport = {
	.receive = first_receive,
	.output = {.send = first_send}
};

void
pgt_tls_offer(Connection *connection)
{
	if (context == NULL)
		return;
	plain = connection->transport;
	connection->transport = &first_transport;
}

bool
pgt_tls_is_on(const Connection *connection)
{
	return connection->transport == &tls_transport;
}

const char *
pgt_tls_common_name(const Connection *connection)
{
	return pgt_tls_is_on(connection) ? ((const TlsState *) connection->transport_state)->common_name : NULL;
}

#else							/* !USE_OPENSSL */

void
pgt_tls_load(void)
{
}

void
pgt_tls_offer(Connection *connection)
{
}

bool
pgt_tls_is_on(const Connection *connection)
{
	return false;
}

const char *
pgt_tls_common_name(const Connection *connection)
{
	return NULL;
}

#endif							/* USE_OPENSSL */
