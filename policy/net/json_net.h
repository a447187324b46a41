/* json_net.h - what the files with the member tables of the JSON types share. */
#pragma once

#include "policy/net/json.h"

struct jtoken *self_token(const struct vm_call *c);
bool give_token(struct vm_call *c, struct jtoken *t);                    /* NULL gives null */
bool no_memory(struct vm_call *c);                                       /* throws */
bool jt_throw(struct vm_call *c, const struct gh_err *err);
bool jt_parse_as(struct vm_call *c, struct str text, enum jt_type wanted, struct jtoken **out);
/* A token of content (`new JProperty("a", content)`): tokens as they are, simple values, lists as arrays. */
bool jt_content(struct vm_call *c, struct value v, struct jtoken **out);
bool jt_add_token(struct vm_call *c, struct jtoken *to, size_t at, struct jtoken *t);
bool jt_add_content(struct vm_call *c, struct jtoken *to, size_t at, struct value v);  /* lists item by item */

/* Members that several tables name. */
bool jt_parse_object(struct vm_call *c);
bool jt_parse_array(struct vm_call *c);
bool jt_get_count(struct vm_call *c);
bool jt_remove_all(struct vm_call *c);
bool jt_merge(struct vm_call *c);
bool jt_object_from(struct vm_call *c);
bool jt_array_from(struct vm_call *c);
struct str jt_to_text(struct arena *a, struct value v);

extern const struct class_member jtoken_members[], jtoken_walk_members[], jcontainer_members[], jcontainer_walk_members[],
	jobject_members[], jarray_members[],
	jproperty_members[], jvalue_members[], jconstructor_members[], jraw_members[];
