/*
 * share_rejected.h
 *	  Sending on what members of share groups have rejected.
 */
#ifndef SHARE_REJECTED_H
#define SHARE_REJECTED_H

#include "broker/helpers/helper.h"

/*
 * Have a helper process send on what the group of a request has rejected.  False where too much is waiting for helpers, or there is no memory:
 * then it is for one of the next requests.
 */
extern bool pgt_share_rejected_send(const BrokerRequest *request);

/* The same helper for both requests that name a group. */
extern const HelperApi pgt_share_rejected_fetch_helper;
extern const HelperApi pgt_share_rejected_acknowledge_helper;

#endif							/* SHARE_REJECTED_H */
