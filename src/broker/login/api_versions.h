/*
 * api_versions.h
 *	  ApiVersions: what is served, and in which versions.
 */
#ifndef API_VERSIONS_H
#define API_VERSIONS_H

#include "broker/core/broker.h"

extern const BrokerApi pgt_api_versions_api;

#endif							/* API_VERSIONS_H */
