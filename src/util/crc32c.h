/*
 * crc32c.h
 *	  The CRC-32C of all our formats, computed by the server's code.
 */
#ifndef CRC32C_H
#define CRC32C_H

#include "port/pg_crc32c.h"

/* CRC-32C of "length" bytes. */
static inline uint32
pgt_crc32c(const void *bytes, size_t length)
{
	pg_crc32c	crc;

	INIT_CRC32C(crc);
	COMP_CRC32C(crc, bytes, length);
	FIN_CRC32C(crc);
	return crc;
}

#endif							/* CRC32C_H */
