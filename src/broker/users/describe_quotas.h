/*
 * describe_quotas.h
 *	  DescribeClientQuotas: the quotas that a filter matches.
 */
#ifndef DESCRIBE_QUOTAS_H
#define DESCRIBE_QUOTAS_H

#include "broker/core/broker.h"

extern const BrokerApi pgt_describe_quotas_api;

/* Kafka's names of what an entity is made of. */
typedef enum DescribeQuotasPart
{
	DESCRIBE_QUOTAS_USER,
	DESCRIBE_QUOTAS_CLIENT_ID,
	DESCRIBE_QUOTAS_IP,
	DESCRIBE_QUOTAS_UNKNOWN
} DescribeQuotasPart;

extern DescribeQuotasPart pgt_describe_quotas_part(KafkaString type);

#endif							/* DESCRIBE_QUOTAS_H */
