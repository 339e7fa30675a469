/*
 * listen_address.c
 *	  Addresses on which clients are waited for: their syntax, and their sockets.
 *
 *	  list	item { "," item }
 *	  item	host ":" port [ "/" database ]
 *	  host	a name, an IPv4 address, an IPv6 address in brackets, or "*"
 *
 * A database's name may be in double quotes, and has to be if it has a comma; a
 * quote in it is doubled.
 *
 * A name may stand for several addresses, such as 127.0.0.1 and ::1 for localhost, and there is
 * a socket for each.  As with the server's own listen_addresses, those that cannot be
 * bound are told in the log, and one is enough.
 */
#include "postgres.h"

#include <netdb.h>
#include <netinet/in.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "common/ip.h"
#include "listener/connection.h"
#include "listener/event_loop.h"
#include "lib/stringinfo.h"
#include "listener/listen_address.h"
#include "miscadmin.h"
#include "storage/fd.h"
#include "util/clock.h"
#include "utils/memutils.h"

#define BACKLOG				1024
#define ACCEPTS_MAX			64	/* a turn and socket */
#define PAUSE_US			INT64CONST(200000)	/* when there are no descriptors */

/* A socket that waits for clients. */
typedef struct Listening
{
	EventLoopSource source;
	EventLoopTimer pause;		/* until clients are accepted again */
	int			listener;
	struct Listening *next;
} Listening;

static Listening *sockets = NULL;

/* ---- syntax ---------------------------------------------------------------- */

static const char *
skip_space(const char *text)
{
	while (isspace((unsigned char) *text))
		text++;
	return text;
}

/* Copy the host, and return what is behind it; NULL with a problem. */
static const char *
parse_host(const char *text, ListenAddress *address, const char **problem)
{
	const char *end;

	if (*text == '[')
	{
		end = strchr(++text, ']');
		if (end == NULL || end[1] != ':')
		{
			*problem = "an IPv6 address must be in brackets and followed by a port";
			return NULL;
		}
		address->host = pnstrdup(text, end - text);
		return end + 1;
	}
	end = text + strcspn(text, ":/,\" \t\r\n");
	if (end == text || *end != ':')
	{
		*problem = "an item must begin with a host and a port";
		return NULL;
	}
	address->host = pnstrdup(text, end - text);
	return end;
}

/* Take the port, behind a colon. */
static const char *
parse_port(const char *text, ListenAddress *address, const char **problem)
{
	char	   *end;
	long		port;

	errno = 0;
	port = isdigit((unsigned char) text[1]) ? strtol(text + 1, &end, 10) : 0;
	if (port < 1 || port > 65535 || errno != 0)
	{
		*problem = "a port must be a number from 1 to 65535";
		return NULL;
	}
	address->port = (int) port;
	return end;
}

/* Copy the name of a database, behind a slash. */
static const char *
parse_database(const char *text, ListenAddress *address, const char **problem)
{
	StringInfoData name;
	bool		quoted = *++text == '"';

	initStringInfo(&name);
	for (text += quoted; *text != '\0'; text++)
	{
		if (quoted && *text == '"' && *++text != '"')
		{
			quoted = false;
			break;
		}
		if (!quoted && (*text == ',' || isspace((unsigned char) *text)))
			break;
		appendStringInfoChar(&name, *text);
	}
	if (quoted || name.len == 0)
	{
		*problem = quoted ? "a quoted name of a database has no end" : "the name of a database is missing";
		return NULL;
	}
	if (name.len >= NAMEDATALEN)
	{
		*problem = "the name of a database is too long";
		return NULL;
	}
	address->database = name.data;
	return text;
}

/* Take an item, and return what is behind it; NULL with a problem. */
static const char *
parse_item(const char *text, bool with_database, ListenAddress *address, const char **problem)
{
	text = parse_host(text, address, problem);
	if (text != NULL)
		text = parse_port(text, address, problem);
	if (text == NULL)
		return NULL;
	if (with_database && *text != '/')
	{
		*problem = "a port must be followed by a slash and a database";
		return NULL;
	}
	return *text == '/' && with_database ? parse_database(text, address, problem) : text;
}

List *
pgt_listen_address_parse(const char *text, bool with_database, const char **problem)
{
	List	   *addresses = NIL;

	*problem = NULL;
	text = skip_space(text);
	while (*text != '\0')
	{
		ListenAddress *address = palloc0(sizeof(ListenAddress));

		text = parse_item(text, with_database, address, problem);
		if (text == NULL)
			return NIL;
		addresses = lappend(addresses, address);
		text = skip_space(text);
		if (*text == '\0')
			break;
		if (*text++ != ',')
		{
			*problem = "items must be separated by commas";
			return NIL;
		}
		text = skip_space(text);
		if (*text == '\0')
		{
			*problem = "an item is missing behind the last comma";
			return NIL;
		}
	}
	return addresses;
}

/* ---- sockets --------------------------------------------------------------- */

/* Clients are accepted again. */
static void
end_pause(EventLoopTimer *timer)
{
	Listening  *listening = (Listening *) ((char *) timer - offsetof(Listening, pause));

	pgt_event_loop_change(&listening->source, EPOLLIN);
}

/* A client cannot be accepted, and waits: do not spin until that has changed. */
static void
begin_pause(Listening *listening)
{
	static int64 told_at = 0;

	if (told_at == 0 || pgt_clock_ms_since(told_at) > 60000)
	{
		told_at = pgt_clock_monotonic_us();
		ereport(LOG,
				(errcode_for_socket_access(),
				 errmsg("could not accept a Kafka connection: %m")));
	}
	pgt_event_loop_change(&listening->source, 0);
	pgt_event_loop_set_timer(&listening->pause, pgt_clock_monotonic_us() + PAUSE_US);
}

/* Clients have connected. */
static void
accept_some(EventLoopSource *source, uint32 events)
{
	Listening  *listening = (Listening *) source;

	for (int i = 0; i < ACCEPTS_MAX; i++)
	{
		int			fd = accept4(source->fd, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);

		if (fd >= 0)
		{
			pgt_connection_open(fd, listening->listener);
			continue;
		}
		if (errno == EMFILE || errno == ENFILE || errno == ENOBUFS || errno == ENOMEM)
			begin_pause(listening);
		if (errno != ECONNABORTED && errno != EINTR)
			break;
	}
}

/* Listen on one address of the operating system.  False, with errno, if that fails. */
static bool
listen_on(const struct addrinfo *info, int listener)
{
	int			fd = socket(info->ai_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	int			on = 1;
	Listening  *listening;

	if (fd < 0)
		return false;
	listening = MemoryContextAllocZero(TopMemoryContext, sizeof(Listening));
	listening->source.fd = fd;
	listening->source.ready = accept_some;
	listening->pause.expired = end_pause;
	listening->listener = listener;
	(void) setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
	if (info->ai_family == AF_INET6)
		(void) setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &on, sizeof(on));
	if (bind(fd, info->ai_addr, info->ai_addrlen) != 0 || listen(fd, BACKLOG) != 0 ||
		!pgt_event_loop_add(&listening->source, EPOLLIN))
	{
		int			save_errno = errno;

		close(fd);
		pfree(listening);
		errno = save_errno;
		return false;
	}
	ReserveExternalFD();
	listening->next = sockets;
	sockets = listening;
	return true;
}

/* Tell that one address of several is of no use. */
static void
tell_failure(int elevel, const ListenAddress *address, const char *what)
{
	bool		in_use = errno == EADDRINUSE;

	ereport(elevel,
			(errcode_for_socket_access(),
			 errmsg("could not listen for Kafka clients on \"%s\", port %d: %s", address->host, address->port, what),
			 in_use ?
			 errhint("Another program uses this port. Stop it, or give the listener another port in pg_topics.kafka_listeners.") : 0));
}

void
pgt_listen_address_open(const ListenAddress *address, int listener)
{
	struct addrinfo hints = {.ai_family = AF_UNSPEC, .ai_socktype = SOCK_STREAM, .ai_flags = AI_PASSIVE};
	struct addrinfo *found = NULL;
	char		port[16];
	const char *host = strcmp(address->host, "*") == 0 ? NULL : address->host;
	int			opened = 0;
	int			failure;
	int			save_errno = 0;

	snprintf(port, sizeof(port), "%d", address->port);
	failure = pg_getaddrinfo_all(host, port, &hints, &found);
	errno = 0;
	if (failure != 0)
		tell_failure(FATAL, address, gai_strerror(failure));
	for (struct addrinfo *info = found; info != NULL; info = info->ai_next)
	{
		if (listen_on(info, listener))
			opened++;
		else
			save_errno = errno;
	}
	pg_freeaddrinfo_all(hints.ai_family, found);
	errno = save_errno;
	if (save_errno != 0)
		tell_failure(opened > 0 ? LOG : FATAL, address, strerror(save_errno));
}

void
pgt_listen_address_close_all(void)
{
	while (sockets != NULL)
	{
		Listening  *listening = sockets;

		sockets = listening->next;
		pgt_event_loop_cancel_timer(&listening->pause);
		pgt_event_loop_remove(&listening->source);
		close(listening->source.fd);
		ReleaseExternalFD();
		pfree(listening);
	}
}
