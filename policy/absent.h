/* absent.h - .NET values that are there only when the expression compiler is linked; see absent.c. */
#pragma once

#include "policy/net/make.h"

extern __typeof__(json_value) json_value __attribute__((weak));
extern __typeof__(xml_element_value) xml_element_value __attribute__((weak));
