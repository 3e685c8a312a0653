"""Statistics of results: two methods (pairwise), several (ranks), and both from a table of results (frames).

Every choice that changes a p-value is carried in the result, and its ``sentence()`` states it. What cannot be tested gives
a sentence and no p-value, never NaN.
"""
