-- Pruning finds the oldest calls by their time: after a clock went backwards those with the least numbers are not the oldest.
CREATE INDEX call_block_first ON call_block (first_us);
