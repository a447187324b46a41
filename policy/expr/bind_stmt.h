/* bind_stmt.h - private to the binding of statements. */
#pragma once

#include "policy/expr/bind.h"

struct node *stmt_block_new(struct binder *b, size_t at);            /* enters a scope; leave it with scope_leave */
struct node *stmt_of(struct binder *b, struct node *value);          /* NULL for NULL */
bool stmt_add(struct binder *b, struct node *block, struct syntax *list);
struct node *stmt_local(struct binder *b, struct syntax *s);
struct node *stmt_embedded(struct binder *b, struct syntax *s);      /* the body of another statement */
struct node *stmt_block(struct binder *b, struct syntax *s);

struct node *stmt_deconstruct(struct binder *b, struct syntax *s);   /* bind_tuple.c */
bool declare_functions(struct binder *b, struct node *block, struct syntax *list);       /* bind_function.c */
struct node *stmt_function(struct binder *b, struct syntax *s);
struct node *stmt_switch(struct binder *b, struct syntax *s);
struct node *stmt_try(struct binder *b, struct syntax *s);
struct node *stmt_using(struct binder *b, struct syntax *s);
