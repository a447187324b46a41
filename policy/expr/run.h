/* run.h - arithmetic on values, shared by the virtual machine and the compiler's constants. */
#pragma once

#include "policy/expr/class.h"

/* `op` is the punctuator as lex.h names it. Both operands are of one kind (a shift takes an int on the right); null
 * operands give what lifted operators give. EX__COUNT: *out is set; otherwise the exception that C# throws. */
enum vm_exception run_binary(struct arena *a, uint32_t op, struct value l, struct value r, bool checked, struct value *out);
enum vm_exception run_unary(struct arena *a, uint32_t op, struct value v, bool checked, struct value *out);
/* To the number kind `to`, from a number or an enum. */
enum vm_exception run_convert(struct arena *a, struct value v, enum value_kind to, bool checked, struct value *out);
