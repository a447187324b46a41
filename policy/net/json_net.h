/* json_net.h - what the files with the member tables of the JSON types share. */
#pragma once

#include "policy/net/json.h"

struct jtoken *self_token(const struct vm_call *c);
bool give_token(struct vm_call *c, struct jtoken *t);                    /* NULL gives null */
bool no_memory(struct vm_call *c);                                       /* throws */
bool json_throw(struct vm_call *c, const struct gh_err *err);
bool json_parse_as(struct vm_call *c, struct str text, enum json_type wanted, struct jtoken **out);
/* A token of content (`new JProperty("a", content)`): tokens as they are, simple values, lists as arrays. */
bool json_content(struct vm_call *c, struct value v, struct jtoken **out);
bool json_add_token(struct vm_call *c, struct jtoken *to, size_t at, struct jtoken *t);
bool json_add_content(struct vm_call *c, struct jtoken *to, size_t at, struct value v);  /* lists item by item */

/* Members that several tables name. */
bool json_parse_object(struct vm_call *c);
bool json_parse_array(struct vm_call *c);
bool json_get_count(struct vm_call *c);
bool json_remove_all(struct vm_call *c);
bool json_merge(struct vm_call *c);
bool json_object_from(struct vm_call *c);
bool json_array_from(struct vm_call *c);
struct str json_to_text(struct arena *a, struct value v);

extern const struct class_member jtoken_members[], jtoken_walk_members[], jcontainer_members[], jcontainer_walk_members[],
	jobject_members[], jarray_members[],
	jproperty_members[], jvalue_members[], jconstructor_members[], jraw_members[];
