/*
 * describe_credentials.h
 *	  DescribeUserScramCredentials: which roles have a password for SCRAM.
 */
#ifndef DESCRIBE_CREDENTIALS_H
#define DESCRIBE_CREDENTIALS_H

#include "broker/helpers/helper.h"

/* Kafka's number of SCRAM-SHA-256, the only mechanism that there is. */
#define DESCRIBE_CREDENTIALS_SHA_256	1

/* The time that a request about credentials has, which says none. */
#define DESCRIBE_CREDENTIALS_TIMEOUT_MS	30000

extern const BrokerApi pgt_describe_credentials_api;
extern const HelperApi pgt_describe_credentials_helper;

/* A role by its name for Kafka; InvalidOid: there is none.  In a transaction. */
extern Oid	pgt_describe_credentials_role(KafkaString name);

/* How many rounds the role's password for SCRAM has; 0: it has none.  In a transaction. */
extern int	pgt_describe_credentials_rounds(Oid role);

#endif							/* DESCRIBE_CREDENTIALS_H */
