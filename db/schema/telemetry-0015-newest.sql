-- Lists of calls are in the order of their time, whatever order they were taken in: whether any block further back has a call that is as
-- late as those that were found, is asked of this.
CREATE INDEX call_block_last ON call_block (last_us, first_us);
