/*
 * auto_create.h
 *	  Topics that are created because a client asks for them in Metadata.
 */
#ifndef AUTO_CREATE_H
#define AUTO_CREATE_H

#include "broker/helpers/helper.h"
#include "kafka/kafka_error.h"

/*
 * What to answer for a topic that a Metadata request names, by a legal name, and that there is not.  With
 * LEADER_NOT_AVAILABLE it is to be created: the caller calls pgt_auto_create_begin() when it has
 * asked for all of them.
 */
extern KafkaError pgt_auto_create_judge(const BrokerRequest *request, KafkaString name);

/* Let a helper create what the request names and there is not; clients ask again in any case. */
extern void pgt_auto_create_begin(const BrokerRequest *request);

extern const HelperApi pgt_auto_create_helper;

#endif							/* AUTO_CREATE_H */
