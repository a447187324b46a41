/* random.c - System.Random: the subtractive generator of .NET Framework, so that a seed gives the same numbers there and
 * here (Knuth, The Art of Computer Programming, volume 2, section 3.2.2, with .NET's constants). */
#include <stdlib.h>

#include "policy/net/modules.h"
#include "policy/net/native.h"
#include "policy/net/world.h"

enum { BIG = INT32_MAX, SEED = 161803398, STATE = 56 };

struct random {
	struct object head;
	int32_t state[STATE];
	int next, next_p;
};

static struct value_class class_random;

static int32_t minus(int32_t l, int32_t r)
{
	return (int32_t)((uint32_t)l - (uint32_t)r);
}

static void seed(struct random *r, int32_t with)
{
	int32_t j = minus(SEED, with == INT32_MIN ? INT32_MAX : abs(with)), k = 1;

	r->state[55] = j;
	for (int i = 1; i < 55; i++) {
		int at = 21 * i % 55;

		r->state[at] = k;
		k = minus(j, k);
		if (k < 0)
			k = (int32_t)((uint32_t)k + BIG);
		j = r->state[at];
	}
	for (int round = 1; round < 5; round++)
		for (int i = 1; i < STATE; i++) {
			r->state[i] = minus(r->state[i], r->state[1 + (i + 30) % 55]);
			if (r->state[i] < 0)
				r->state[i] = (int32_t)((uint32_t)r->state[i] + BIG);
		}
	r->next = 0;
	r->next_p = 21;
}

static int32_t sample(struct random *r)
{
	int32_t v;

	if (++r->next >= STATE)
		r->next = 1;
	if (++r->next_p >= STATE)
		r->next_p = 1;
	v = minus(r->state[r->next], r->state[r->next_p]);
	if (v == BIG)
		v--;
	if (v < 0)
		v = (int32_t)((uint32_t)v + BIG);
	r->state[r->next] = v;
	return v;
}

static double fraction(struct random *r)
{
	return sample(r) * (1.0 / BIG);
}

static double wide_fraction(struct random *r)
{
	double d = sample(r);

	if (sample(r) % 2 == 0)
		d = -d;
	return (d + (BIG - 1)) / (2.0 * (uint32_t)BIG - 1);
}

static bool new_random(struct vm_call *c)
{
	struct random *r = vm_new(c, &class_random, sizeof(*r));

	if (!r || !vm_charge(c->vm, COST_RANDOM))
		return false;
	seed(r, c->n ? (int32_t)arg_int(c, 0) : (int32_t)(world_random(c) & 0x7FFFFFFF));
	return vm_return(c, value_object(r));
}

static bool next(struct vm_call *c)
{
	struct random *r = SELF(c, struct random);
	int64_t low = c->n > 1 ? arg_int(c, 0) : 0, high = c->n ? arg_int(c, c->n - 1) : 0, range = high - low;

	if (c->n == 0)
		return give_int(c, sample(r));
	if (c->n == 1 && high < 0)
		return vm_throw_range(c, "maxValue", "'maxValue' must be greater than zero.");
	if (range < 0)
		return vm_throw_range(c, "minValue", "'minValue' cannot be greater than maxValue.");
	if (range <= INT32_MAX)
		return give_int(c, (int64_t)(fraction(r) * (double)range) + low);
	return give_int(c, (int64_t)(wide_fraction(r) * (double)range) + low);
}

static bool next_double(struct vm_call *c)
{
	return vm_return(c, value_double(fraction(SELF(c, struct random))));
}

static bool next_bytes(struct vm_call *c)
{
	struct array *bytes = value_array(c->args[0]);

	if (!bytes)
		return vm_throw_null(c, "buffer");
	for (size_t i = 0; i < bytes->n; i++)
		bytes->bytes[i] = (uint8_t)(sample(SELF(c, struct random)) % 256);
	return vm_charge(c->vm, bytes->n / 8);
}

static const struct class_member members[] = {
	{ "Random()", new_random },
	{ "Random(int Seed)", new_random },
	{ "int Next()", next },
	{ "int Next(int maxValue)", next },
	{ "int Next(int minValue, int maxValue)", next },
	{ "double NextDouble()", next_double },
	{ "void NextBytes(byte[] buffer)", next_bytes },
	{ 0 }
};

static struct value_class class_random = { .name = "System.Random", .members = members };
static struct value_class *const classes[] = { &class_random, NULL };

const struct class_module net_random = { .classes = classes };
