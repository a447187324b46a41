/* product.h - what `gatehouse product …` and `gatehouse api-group …` share: an API group is a product of a kind of its own. */
#pragma once

#include "cli/command.h"
#include "db/products.h"

gh_rc product_create(struct cli *c, enum store_product_kind kind, struct gh_err *err);
gh_rc product_set(struct cli *c, enum store_product_kind kind, struct gh_err *err);
gh_rc product_list(struct cli *c, enum store_product_kind kind, struct gh_err *err);
gh_rc product_change_apis(struct cli *c, enum store_product_kind kind, bool add, struct gh_err *err);
gh_rc product_delete(struct cli *c, enum store_product_kind kind, struct gh_err *err);
