#include "core/openapi.h"

#include "core/str.h"
#include "core/uri.h"

/* The copy goes only as deep as it changes something: the document, its components, paths, path items and operations. All
 * below is shared with the model by reference, so publishing a document of 13 MB costs little memory. */

static const char *const methods[] = { "get", "put", "post", "delete", "options", "head", "patch", "trace" };
enum { SCHEME_NAME_MAX = 40 };

struct publish {
	const struct openapi *o;
	const struct openapi_face *face;
	json_t *root;                            /* the copy */
	char scheme[SCHEME_NAME_MAX];            /* name of the key's scheme, not taken by another */
	bool failed;
};

static bool is_v2(const struct publish *p)
{
	return p->o->dialect == OPENAPI_2_0;
}

/* A member of an object of ours, made one of ours too (a shallow copy, or a new object when there is none). Borrowed. */
static json_t *own(struct publish *p, json_t *parent, const char *name)
{
	json_t *old = json_object_get(parent, name), *copy = json_is_object(old) ? json_copy(old) : json_object();

	p->failed |= !copy || json_object_set_new(parent, name, copy) != 0;
	return p->failed ? NULL : copy;
}

static void set(struct publish *p, json_t *object, const char *name, json_t *stolen)
{
	p->failed |= !stolen || json_object_set_new(object, name, stolen) != 0;
}

static json_t *text(struct str s)
{
	return json_stringn(s.p, s.n);
}

/* ---- where ----------------------------------------------------------------------------------------------------------- */

/* Swagger 2.0 has the address in three members. */
static void put_address_v2(struct publish *p)
{
	struct str address = p->face->address, host = STR_NULL;
	struct uri u;

	json_object_del(p->root, "host");
	json_object_del(p->root, "schemes");
	if (!uri_parse(address, &u)) {
		p->failed = true;
		return;
	}
	if (u.scheme.n && u.host.n) {
		host = str_from(address, (size_t)(u.host.p - address.p));
		host = str_first(host, str_find_char(host, '/'));
		set(p, p->root, "host", text(host));
		set(p, p->root, "schemes", json_pack("[o]", text(u.scheme)));
	}
	set(p, p->root, "basePath", text(u.path.n ? u.path : STR("/")));
}

static void put_address(struct publish *p)
{
	if (is_v2(p))
		put_address_v2(p);
	else
		set(p, p->root, "servers", json_pack("[{s:o}]", "url", text(p->face->address)));
}

/* ---- the key --------------------------------------------------------------------------------------------------------- */

static void put_scheme(struct publish *p)
{
	json_t *holder = is_v2(p) ? p->root : own(p, p->root, "components");
	json_t *schemes = holder ? own(p, holder, is_v2(p) ? "securityDefinitions" : "securitySchemes") : NULL;

	if (!schemes)
		return;
	snprintf(p->scheme, sizeof(p->scheme), "subscriptionKey");
	for (unsigned n = 2; json_object_get(schemes, p->scheme); n++)
		snprintf(p->scheme, sizeof(p->scheme), "subscriptionKey%u", n);
	set(p, schemes, p->scheme,
	    json_pack("{s:s, s:s, s:o, s:s}", "type", "apiKey", "in", "header", "name", text(p->face->key_header), "description",
		      "The key of a subscription"));
}

/* Each of the alternatives with the key besides; where none is asked for, the key alone. */
static void add_key(struct publish *p, json_t *object, const json_t *old)
{
	json_t *alternatives = json_array(), *one;
	size_t i;

	json_array_foreach(old, i, one) {
		json_t *both = json_is_object(one) ? json_copy(one) : json_object();

		set(p, both, p->scheme, json_array());
		p->failed |= json_array_append_new(alternatives, both) != 0;
	}
	if (!json_array_size(alternatives))
		p->failed |= json_array_append_new(alternatives, json_pack("{s:[]}", p->scheme)) != 0;
	set(p, object, "security", alternatives);
}

/* ---- operations ------------------------------------------------------------------------------------------------------ */

static void change_operation(struct publish *p, json_t *item, const char *method)
{
	json_t *op = json_is_object(json_object_get(item, method)) ? own(p, item, method) : NULL;

	if (!op)
		return;
	json_object_del(op, is_v2(p) ? "schemes" : "servers");
	if (p->face->key_header.n && json_is_array(json_object_get(op, "security")))
		add_key(p, op, json_object_get(op, "security"));
}

/* `holder` is one of ours. */
static void change_paths(struct publish *p, json_t *holder, const char *name)
{
	json_t *paths = json_is_object(json_object_get(holder, name)) ? own(p, holder, name) : NULL, *old;
	const char *path;

	json_object_foreach(paths, path, old) {
		json_t *item = json_is_object(old) ? json_copy(old) : NULL;

		if (!item)
			continue;
		json_object_del(item, "servers");
		for (size_t i = 0; i < ARRAY_LEN(methods) && !p->failed; i++)
			change_operation(p, item, methods[i]);
		p->failed |= json_object_set_new(paths, path, item) != 0;
	}
}

json_t *openapi_publish(const struct openapi *o, const struct openapi_face *face)
{
	struct publish p = { .o = o, .face = face, .root = json_copy(o->root) };

	if (!p.root)
		return NULL;
	put_address(&p);
	if (face->key_header.n && !p.failed) {
		put_scheme(&p);
		add_key(&p, p.root, json_object_get(p.root, "security"));
	}
	if (!p.failed)
		change_paths(&p, p.root, "paths");
	/* that paths refer to (OpenAPI 3.1) */
	if (!p.failed && json_is_object(json_object_get(json_object_get(p.root, "components"), "pathItems")))
		change_paths(&p, own(&p, p.root, "components"), "pathItems");
	if (p.failed) {
		json_decref(p.root);
		return NULL;
	}
	return p.root;
}
