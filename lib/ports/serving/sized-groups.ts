/** How large a group is and may be: nodes of a managed node group, or vCPU of a queue. */
export interface GroupSize {
  readonly min: number;
  /** What is kept now; the group's own autoscaler moves it between `min` and `max`. */
  readonly desired: number;
  readonly max: number;
}

/** Groups of which a least size is kept ready, whether it is used or not. */
export interface SizedGroups {
  /** As it is; undefined where there is no such group. */
  size(group: string): Promise<GroupSize | undefined>;
  /**
   * Changes the least size. What is kept rises with it where it has to and is never lowered. `held`: the group is being changed by somebody
   * else, nothing was done. `GROUP_NOT_FOUND`.
   */
  setMin(group: string, min: number): Promise<'set' | 'held'>;
}
