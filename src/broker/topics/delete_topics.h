/*
 * delete_topics.h
 *	  DeleteTopics.
 */
#ifndef DELETE_TOPICS_H
#define DELETE_TOPICS_H

#include "broker/helpers/helper.h"

extern const BrokerApi pgt_delete_topics_api;
extern const HelperApi pgt_delete_topics_helper;

#endif							/* DELETE_TOPICS_H */
