#pragma once

#include "core/base.h"

const char *zone_of_windows(struct str name);    /* "Europe/Berlin"; NULL: not one of Windows' names */
