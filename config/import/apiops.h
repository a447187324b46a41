/* apiops.h - the folder that the extractor of APIOps (github.com/Azure/apiops) writes of an Azure API Management instance:
 *
 *     policy.xml   apis/ID/{apiInformation.json, specification.*, policy.xml, operations/OP/policy.xml, tags.json}   apis/ID;rev=N/
 *     products/ID/{productInformation.json, policy.xml, apis.json or apis/API/, groups.json or groups/GROUP/}
 *     named values/  backends/  version sets/  policy fragments/  groups/  tags/  loggers/  diagnostics/  gateways/  subscriptions/
 *
 * Ids stay, so policies that name backends, fragments and named values run unchanged. */
#pragma once

#include "config/files/tree.h"
#include "config/import/bundle.h"

/* INVALID when nothing of the layout is there. */
GH_RC import_apiops(struct bundle *b, const struct tree *t, struct gh_err *err);
