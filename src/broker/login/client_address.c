/*
 * client_address.c
 *	  Where a client comes from.
 */
#include "postgres.h"

#include <arpa/inet.h>

#include "broker/login/client_address.h"
#include "common/ip.h"
#include "listener/tls.h"

SockAddr
pgt_client_address_of(const BrokerConnection *client)
{
	SockAddr	address = client->connection->peer;
	const struct sockaddr_in6 *six = (const struct sockaddr_in6 *) &client->connection->peer.addr;

	if (address.addr.ss_family == AF_INET6 && IN6_IS_ADDR_V4MAPPED(&six->sin6_addr))
	{
		struct sockaddr_in *four = (struct sockaddr_in *) &address.addr;

		memset(&address, 0, sizeof(address));
		four->sin_family = AF_INET;
		four->sin_port = six->sin6_port;
		memcpy(&four->sin_addr, &six->sin6_addr.s6_addr[12], sizeof(four->sin_addr));
		address.salen = sizeof(struct sockaddr_in);
	}
	return address;
}

char *
pgt_client_address_host(const BrokerConnection *client)
{
	SockAddr	address = pgt_client_address_of(client);
	char		host[NI_MAXHOST];

	if (pg_getnameinfo_all(&address.addr, address.salen, host, sizeof(host), NULL, 0, NI_NUMERICHOST) != 0)
		return pstrdup("???");
	return pstrdup(host);
}

char *
pgt_client_address_text(const BrokerConnection *client)
{
	SockAddr	address = pgt_client_address_of(client);
	char		host[NI_MAXHOST];
	char		port[NI_MAXSERV];

	if (pg_getnameinfo_all(&address.addr, address.salen, host, sizeof(host), port, sizeof(port),
						   NI_NUMERICHOST | NI_NUMERICSERV) != 0)
		return pstrdup("???");
	return psprintf(address.addr.ss_family == AF_INET6 ? "[%s]:%s" : "%s:%s", host, port);
}

bool
pgt_client_address_is_private(const BrokerConnection *client)
{
	SockAddr	address = pgt_client_address_of(client);

	if (pgt_tls_is_on(client->connection))
		return true;
	if (address.addr.ss_family == AF_INET)
		return ntohl(((struct sockaddr_in *) &address.addr)->sin_addr.s_addr) >> 24 == IN_LOOPBACKNET;
	return address.addr.ss_family == AF_INET6 &&
		IN6_IS_ADDR_LOOPBACK(&((struct sockaddr_in6 *) &address.addr)->sin6_addr);
}
